"""How long querylint and its peers take on the same trees, measured in turns: `python -m benchmarks --help`."""
