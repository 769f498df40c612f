"""Build the project's dashboard in Weights & Biases: ``python dashboard.py``; ``--help`` tells more."""

from attnlab.cli.dashboard import main

if __name__ == "__main__":
    main()
