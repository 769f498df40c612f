"""How Lightning starts the further processes of ``attnlab evaluate``: ``python -m attnlab.cli.scripts.evaluate …``."""

from attnlab.cli.main import run

if __name__ == "__main__":
    run("evaluate")
