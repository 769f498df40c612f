"""Which differences between finished runs are real: ``python compare.py runs=<sweep>``; ``--help`` tells more."""

from attnlab.cli.main import run

if __name__ == "__main__":
    run("compare")
