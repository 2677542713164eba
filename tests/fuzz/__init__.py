"""Sources that nobody would write, fed to the whole tool: `PYTHONPATH=tests python -m fuzz --help`."""
