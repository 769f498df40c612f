"""Train a model: ``python train.py attention=luong_concat dataset=tatoeba``; ``--help`` lists the choices."""

from attnlab.cli.train import main

if __name__ == "__main__":
    main()
