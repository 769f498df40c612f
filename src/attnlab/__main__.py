"""``python -m attnlab NAME …``: what ``attnlab NAME …`` does, where that is not on the PATH."""

from attnlab.cli.main import main

if __name__ == "__main__":
    main()
