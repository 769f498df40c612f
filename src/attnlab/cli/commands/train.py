"""``python train.py``: train a model, test its best checkpoint, leave a run folder."""

from pathlib import Path
from typing import Literal, TypedDict

from omegaconf import DictConfig, OmegaConf

from attnlab.cli.app import Command, launch
from attnlab.cli.multirun.resumable import hold, once
from attnlab.cli.runs import resume_from
from attnlab.private.lean_imports import lean_imports
from attnlab.ranges import FileName, OneOrMore, PathText, Real, Seed

USAGE = """
Train a model of translation, classification, entailment or forecasting with the attention you choose, test its best
checkpoint, keep everything.

  python train.py                                              a small grammar, minutes on a CPU
  python train.py attention=bahdanau dataset=multi30k          choose options of groups
  python train.py dataset=sst pooling=last_state               classify texts; dataset=labelled dataset.train=my.csv
  python train.py dataset=sick attention=cosine                align two sentences; dataset=pairs dataset.train=my.jsonl
  python train.py dataset=taylor data.refit=true               forecast a series; dataset=csv_series dataset.file=my.csv
  python train.py encoder.hidden_dim=512 optimizer.lr=3e-4     set any value
  python train.py attention=bahdanau decoder=luong             combine what no paper has combined
  python train.py experiment=tutorial                          a published set-up, pinned
  python train.py trainer=smoke                                anything, in seconds
  python train.py debug=overfit                                a trial: default (one batch), limit, profiler, anomaly
  python train.py -m attention=none,bahdanau,luong_dot seed=1,2,3
  python train.py -m sweep=attention_types                     a comparison, pinned
  python train.py -m reproduce=luong_2015_table_4              a published table, its figures beside ours in compare.py
  python train.py -m sweep=luong_table compare_after=true      and end with the tables of compare.py
  python train.py -m resume=latest                             run what is not finished of it
  python train.py resume=latest                                go on with a run, as it was started
  python train.py resume=<run folder> trainer.max_epochs=20    likewise, and longer
  python train.py ckpt_path=<run folder>                       go on from its last checkpoint in a new folder

Results: outputs/<dataset>/<attention>/<date>_<time>/, of a multirun sweeps/<sweep_name>/<date>_<time>/<job>/.
Flags: -m runs every combination, --cfg job prints the configuration, --hydra-help lists the others.
"""


class Paths(TypedDict):
    """conf/paths."""

    root: PathText
    data: PathText
    cache: PathText
    run: PathText


# What a paper has printed: source, the key to cite it by, the data, and rows: of which choices by group (when) which
# values by quantity (``bleu``), or by any other name. See conf/reproduce.
PublishedRow = dict[Literal["when", "values"], dict[str, str | Real]]
Published = dict[Literal["source", "cite", "data", "rows"], str | list[PublishedRow]]


class Options(TypedDict):
    """The plain values at the root of conf/train.yaml."""

    seed: Seed
    monitor: str
    tags: list[str]
    notes: str | None
    print_config: bool
    cmap: str | None
    measure: list[str]
    compare_after: bool | Literal["wandb"]
    jobs_per_gpu: OneOrMore
    sweep_name: FileName
    published: Published | None
    ckpt_path: PathText | None
    resume: PathText | None
    trust: list[str]
    paths: Paths


def train(config: DictConfig) -> float | None:
    """Train and test; return the best validation score, which a sweeper may optimise."""
    return once(config, fit)


def fit(config: DictConfig) -> float | None:
    with lean_imports():
        from attnlab.cli.fit import fit as fit_model  # torch and Lightning take seconds to import
        from attnlab.viz.palette import colored

    with colored(config.cmap):
        return fit_model(config)


def rehearse(config: DictConfig) -> None:
    """Learn what cannot work before anything is done: build the model, but without data."""
    checkpoint = resume_from(config.ckpt_path)
    with lean_imports():
        from attnlab.cli.build import rehearse as build

    build(config)
    if OmegaConf.select(config, "hydra.launcher.stacked") is True:
        from attnlab.cli.build import rehearse_stacked

        rehearse_stacked(config)
    if checkpoint is not None:
        from attnlab.cli.starting_point import check_weights

        check_weights(config, Path(checkpoint))
    if Path(config.hydra.run.dir).is_dir():  # before anything is written there
        hold(Path(config.hydra.run.dir))


COMMAND = Command(train, Options, USAGE, rehearse=rehearse, resumes=True)


def main() -> None:
    """The console command."""
    launch(COMMAND)
