"""Translate lines of text with a trained run: ``python translate.py run=latest < in.txt``."""

from attnlab.cli.main import run

if __name__ == "__main__":
    run("translate")
