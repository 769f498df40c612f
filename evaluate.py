"""Score a trained run again: ``python evaluate.py run=latest search=beam``; ``--help`` tells more."""

from attnlab.cli.evaluate import main

if __name__ == "__main__":
    main()
