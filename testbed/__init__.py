"""How the product is proven: the sandbox, the benchmark and the mutants. Nothing here ships."""
