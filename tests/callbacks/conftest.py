"""A training in miniature, built of the real parts: a toy language, the real loaders, model and task."""

import copy
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from composing import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, open_dict

from attnlab.callbacks.checkpoint_io import AtomicCheckpointIO
from attnlab.cli import folders
from attnlab.data.corpus import Alignment, Pair, Report
from attnlab.data.module import TranslationData
from attnlab.data.tokenizers.word import Word

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven"]
ZAHLEN = ["eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben"]
SIZES = {"train": 40, "val": 9, "test": 5, "test_long": 3}

# Lightning's own: of its use of torch, and advice about data that are small here.
KNOWN_WARNINGS = [
    r"ignore:`isinstance\(treespec, LeafSpec\)` is deprecated:FutureWarning",
    r"ignore:.*does not have many workers",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for text in KNOWN_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(text))


class Counting:
    """Number words, translated one by one; with their alignments, where they are ``linked``."""

    name, source_language, target_language = "counting", "en", "de"

    def __init__(self, linked: bool = False) -> None:
        self.report, self.linked = Report(), linked

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(SIZES)

    def read(self, split: str) -> Iterator[Pair]:
        start = 1000 * list(SIZES).index(split)
        for number in range(start, start + SIZES[split]):
            digits = [(number * 31 + place * place * (number % 5 + 1)) % 7 for place in range(1 + number % 6)]
            source, target = ([words[d] for d in digits] for words in (NUMBERS, ZAHLEN))
            links = tuple((place, place) for place in range(len(digits)))
            alignment = Alignment(tuple(source), tuple(target), links, links) if self.linked else None
            yield Pair(" ".join(source), " ".join(target), alignment)

    def fingerprint(self) -> str:
        return "counting-linked" if self.linked else "counting-1"


# The defaults of conf/train.yaml may change; what is said of a run here may not.
PINNED = ["dataset=multi30k", "encoder=gru", "attention=luong_general", "decoder=luong", "scheduler=warmup_linear"]


def pinned(overrides: tuple[str, ...]) -> list[str]:
    groups = {override.partition("=")[0] for override in overrides}
    if "attention" in groups:
        groups.add("decoder")  # which a preset may bring along
    if "attention=multi_head" in overrides:
        groups.add("encoder")
    return [choice for choice in PINNED if choice.partition("=")[0] not in groups]


@cache
def composed(*overrides: str) -> DictConfig:
    """Composing takes longer than the small trainings here."""
    folders.register()
    return compose(*overrides, return_hydra_config=True)


class Lab:
    """Builds the parts of a run in a folder: data, task, trainer, and what the configuration says of them."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.cache = folder, cache
        self.run = folder / "run"

    def config(self, *overrides: str) -> DictConfig:
        """conf/train.yaml, Hydra's node included, for a run in ``self.run``."""
        config = copy.deepcopy(composed(*pinned(overrides), *overrides))
        with open_dict(config):
            config.hydra.runtime.output_dir = str(self.run)
        HydraConfig.instance().set_config(config)
        return config

    def data(self, linked: bool = False, **options: Any) -> TranslationData:
        """The toy data, set up: new loaders over the same prepared sentences, 10 training batches."""
        settings: dict[str, Any] = {"batch_size": 4, "eval_batch_size": 4} | options
        data = TranslationData(
            corpus=Counting(linked),
            tokenizer=lambda language: Word(language=language),
            cache=str(self.cache),
            **settings,
        )
        data.prepare_data()
        data.setup("fit")
        return data

    def task(self, *overrides: str, **options: Any) -> Any:
        """The real task with a small model with dropout, the same one for every call; ``options`` are the data's."""
        small = ["model.embedding_dim=8", "model.dropout=0.3"]
        if "attention=multi_head" not in overrides:  # which is a Transformer's: its one width is that of embeddings
            small += ["encoder.hidden_dim=6", "decoder.hidden_dim=8"]
        config = self.config(*small, "optimizer.lr=0.01", *overrides)
        data = self.data(**options)
        pl.seed_everything(7, verbose=False)
        sizes = {
            "source_vocabulary": len(data.source_tokenizer),
            "target_vocabulary": len(data.target_tokenizer),
        }
        return instantiate(config.task)(model=instantiate(config.model)(**sizes), data=data)

    def trainer(self, *callbacks: pl.Callback, **options: Any) -> pl.Trainer:
        """conf/trainer/default.yaml on the CPU with these callbacks and no logger, if not told otherwise."""
        settings = dict(self.config().trainer)
        settings |= {"plugins": [AtomicCheckpointIO()], "callbacks": list(callbacks), "logger": False}
        settings |= {
            "accelerator": "cpu",
            "max_epochs": 2,
            "enable_progress_bar": False,
            "log_every_n_steps": 2,
        }
        settings["enable_checkpointing"] = any(isinstance(callback, pl.callbacks.Checkpoint) for callback in callbacks)
        settings.pop("_target_")
        return pl.Trainer(**{**settings, **options})

    def components(self, nodes: DictConfig) -> list[Any]:
        return [instantiate(node) for node in nodes.values() if node is not None]


@pytest.fixture(autouse=True, scope="module")
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No account, no network, nothing outside of the tests' own folder."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("WANDB_")]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("NETRC", str(home / ".netrc"))
        patch.setenv("WANDB_MODE", "offline")
        patch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # nothing listens there
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        yield
    GlobalHydra.instance().clear()
    HydraConfig.instance().cfg = None


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def lab(tmp_path: Path, prepared: Path) -> Lab:
    return Lab(tmp_path, prepared)


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Lab:
    """For one run that several tests look at."""
    return Lab(tmp_path_factory.mktemp("lab"), prepared)
