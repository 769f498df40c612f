"""Where a word stands: one way of telling a file."""
