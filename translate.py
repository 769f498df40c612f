"""Translate lines of text with a trained run: ``python translate.py run=latest < in.txt``."""

from attnlab.cli.translate import main

if __name__ == "__main__":
    main()
