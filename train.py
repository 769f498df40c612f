"""Train a model: ``python train.py attention=luong_concat dataset=tatoeba``; ``--help`` lists the choices."""

from attnlab.cli.main import run

if __name__ == "__main__":
    run("train")
