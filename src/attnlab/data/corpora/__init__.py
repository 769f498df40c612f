"""Public data sets and files of the user's, one a module."""
