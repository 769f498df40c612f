"""The errors that tell a user what to change. They stand alone, so that what needs no torch need not import it."""


class ConfigError(ValueError):
    """A setting, or a combination of settings, that cannot work: what came, what was expected, what to change."""


class DataError(ValueError):
    """Input data that cannot be used: the file, the line where there is one, and what to change."""


class NonFiniteError(FloatingPointError):
    """Numbers that became inf or NaN where none may: where, since when, and what to try."""

    exit_code = 3  # neither the settings nor the data are wrong by themselves


class StorageError(OSError):
    """A file that cannot be written: which one, why, and what to do about it."""
