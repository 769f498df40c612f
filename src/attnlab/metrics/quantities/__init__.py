"""The quantities of the laboratory, one a file; :mod:`attnlab.metrics.registry` finds them here."""
