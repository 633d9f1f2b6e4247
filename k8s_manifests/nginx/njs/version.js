// The product's version, for the metrics of a pod: pyproject.toml has the same one.

export default { VERSION: '0.2.0' };
