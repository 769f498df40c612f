"""The run folder: what a run leaves, written and read."""
