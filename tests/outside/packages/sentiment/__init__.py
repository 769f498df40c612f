"""A task from outside: whether a sentence praises. Nothing of the laboratory names it."""
