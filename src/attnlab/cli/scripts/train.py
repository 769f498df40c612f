"""How Lightning starts the further processes of ``attnlab train``: ``python -m attnlab.cli.scripts.train …``."""

from attnlab.cli.main import run

if __name__ == "__main__":
    run("train")
