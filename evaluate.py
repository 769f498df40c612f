"""Score a trained run again: ``python evaluate.py run=latest search=beam``; ``--help`` tells more."""

from attnlab.cli.main import run

if __name__ == "__main__":
    run("evaluate")
