"""What somebody forgets who writes a task is one line, told before the first update."""

import re
from importlib.metadata import EntryPoint

import pytest
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from attnlab.cli import build
from attnlab.cli.config.monitors import monitors
from attnlab.cli.config.signature import UnknownTargetError, signature
from attnlab.cli.errors import message
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
    where = tmp_path / "failing_task.py"
    assert told == [f"task: failing_task.Mine cannot be imported: {where}, line 1: TypeError: no better"]


def test_an_entry_point_whose_module_fails(tmp_path, monkeypatch):
    (tmp_path / "failing_quantity.py").write_text("raise TypeError('no better')\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("mine", "failing_quantity:MINE", registry.GROUP)
    with pytest.raises(
        ConfigError,
        match=r"entry point mine = .* cannot be loaded: .*failing_quantity.py, line 1: TypeError: no better",
    ):
        registry._loaded("mine", entry)


def check_and_import(config):
    signature(config.attention.score._target_)
    build.import_all(config)


HEAD = "from attnlab.attention.base import Score\n\n\nclass Mine(Score):\n    pass\n\n\n"


@pytest.mark.parametrize(("text", "told"), [
    ("class Mine(Score:\n    pass\n", r"{file}, line 1: .*: class Mine\(Score:"),
    ("def f():\n\treturn 1\n        return 2\n", r"{file}, line 3: .*inconsistent use of tabs.*"),
    ("x = '\udcff'\n", r"{file}, line 1: \(unicode error\) .*"),
    ("x = 1\0\n", r"{file}.* null bytes.*"),
    (HEAD + "import nowhere_at_all\n", r"{failed} {file}, line 8: ModuleNotFoundError: No module named .*"),
    (HEAD + "from torch import nowhere\n", r"{failed} {file}, line 8: ImportError: cannot import name .*"),
    (HEAD + "x = undefined\n", r"{failed} {file}, line 8: NameError: name 'undefined' is not defined"),
    (HEAD + "import sys\nsys.exit(3)\n", r"{failed} {file}, line 9: SystemExit: 3"),
    (HEAD + "raise AttributeError\n", r"{failed} {file}, line 8: AttributeError"),
    # What it calls may fail far away: the line of the author's is told.
    (HEAD + "import json\njson.loads('{')\n", r"{failed} {file}, line 9: JSONDecodeError: .*"),
])  # fmt: skip
def test_a_module_that_is_wrong_is_told_with_file_and_line(text, told, tmp_path, monkeypatch, request):
    module = f"wrong_{request.node.callspec.id.encode().hex()[:40]}_{len(text)}"
    path = tmp_path / f"{module}.py"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    monkeypatch.syspath_prepend(tmp_path)
    config = OmegaConf.create({"attention": {"score": {"_target_": f"{module}.Mine"}}})
    failed = rf"{module}\.Mine cannot be imported:"
    with pytest.raises(ConfigError) as raised:
        check_and_import(config)
    assert re.fullmatch(told.format(file=re.escape(str(path)), failed=failed), str(raised.value))


def test_what_is_not_in_a_module_is_told_with_what_is(tmp_path, monkeypatch):
    (tmp_path / "other_names.py").write_text("class Other:\n    pass\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("other_names.Mine", "other_names.deeper.Mine", "nowhere_at_all.Mine"):
        with pytest.raises(UnknownTargetError):
            signature(name)


def test_hydra_s_own_report_of_an_import_is_told_likewise(tmp_path, monkeypatch):
    (tmp_path / "failing_later.py").write_text("\nraise OverflowError('no better')\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InstantiationException) as raised:
        instantiate({"score": {"_target_": "failing_later.Mine"}})
    assert message(raised.value) == (
        f"Error: score._target_ cannot be imported: {tmp_path / 'failing_later.py'}, line 2: OverflowError: no better"
    )


def test_two_quantities_of_one_name():
    class Mine(Summed):
        def count(self, record):
            return [1.0]

        def close(self, sums):
            return sums[..., 0]

    with pytest.raises(ConfigError, match="two quantities are called bleu: that of attnlab and that of series"):
        registry.register("series", Mine(name="bleu", title="mine", better="lower"))
