"""Real clients of a registry, as real programs in a root file system of their own: for tests of the front door."""
