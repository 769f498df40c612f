"""Which differences between finished runs are real: ``python compare.py runs=<sweep>``; ``--help`` tells more."""

from attnlab.cli.compare import main

if __name__ == "__main__":
    main()
