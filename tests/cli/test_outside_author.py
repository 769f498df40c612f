"""What somebody forgets who writes a task is one line, told before the first update."""

from importlib.metadata import EntryPoint

import pytest
from omegaconf import OmegaConf
from torch import nn

from attnlab.cli import build
from attnlab.cli.monitors import monitors
from attnlab.cli.score import Chosen, require_arguments
from attnlab.data.base import TaskData
from attnlab.errors import ConfigError, DataError
from attnlab.metrics import registry
from attnlab.metrics.quantity import Summed
from attnlab.tasks.base import Task


class Unfinished(Task):
    def loss(self, batch):
        return None


class Model(nn.Module):
    pass


class Corpus:
    name = "waves"


class Data(TaskData):
    corpus_name, splits = "waves", ("train", "test")
    dataset = lengths = dimensions = fingerprint = None

    def __init__(self, corpus, splits=None):
        super().__init__()


def test_a_task_without_a_method():
    with pytest.raises(ConfigError, match=r"task: Unfinished has no records, which attnlab\.tasks\.base\.Task asks"):
        build.rehearse_task(f"{__name__}.Unfinished", {}, Model())


def test_a_model_without_its_least_sizes():
    config = OmegaConf.create({"model": {"_target_": f"{__name__}.Model"}})
    with pytest.raises(ConfigError, match="model: Model has no smallest"):
        build.smallest(config)


def test_data_without_a_split_to_choose_by():
    with pytest.raises(DataError, match="waves has no split val; there is train, test"):
        Data(None).require_splits()


def test_data_that_cannot_be_read_in_part():
    with pytest.raises(ConfigError, match=r"Data takes no tokenizers, which a test of its own needs"):
        require_arguments(f"{__name__}.Data")
    with pytest.raises(ConfigError, match="dataset: Corpus has no splits"):
        Chosen(Corpus(), None)


def test_a_task_whose_module_fails(tmp_path, monkeypatch):
    (tmp_path / "failing_task.py").write_text("raise TypeError('no better')\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    config = OmegaConf.create({"callbacks": {}, "task": {"_target_": "failing_task.Mine"}})
    told = list(monitors(config, OmegaConf.create({"callbacks": {}})))
    assert told == ["task: failing_task.Mine cannot be imported: no better"]


def test_an_entry_point_whose_module_fails(tmp_path, monkeypatch):
    (tmp_path / "failing_quantity.py").write_text("raise TypeError('no better')\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("mine", "failing_quantity:MINE", registry.GROUP)
    with pytest.raises(ConfigError, match=r"entry point mine = .* cannot be loaded: no better"):
        registry._loaded("mine", entry)


def test_two_quantities_of_one_name():
    class Mine(Summed):
        def count(self, record):
            return [1.0]

        def close(self, sums):
            return sums[..., 0]

    with pytest.raises(ConfigError, match="two quantities are called bleu: that of attnlab and that of series"):
        registry.register("series", Mine(name="bleu", title="mine", better="lower"))
