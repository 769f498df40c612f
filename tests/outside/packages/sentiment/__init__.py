"""A task from outside: whether a review praises. Nothing of the laboratory names it."""
