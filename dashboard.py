"""Build the project's dashboard in Weights & Biases: ``python dashboard.py``; ``--help`` tells more."""

from attnlab.cli.main import run

if __name__ == "__main__":
    run("dashboard")
