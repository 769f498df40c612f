"""Run folders from somebody else: nothing of theirs is executed, written or printed, and one line tells why."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from attnlab.cli import project
from attnlab.cli.commands.evaluate import GROUPS, prepare
from attnlab.cli.errors import MistakesError
from attnlab.cli.provided import allowed, ours
from attnlab.cli.runs import recall
from attnlab.cli.trust import MODEL_PARTS, PARTS, recorded, trusted
from attnlab.data.tokenizers.load import digest, load
from attnlab.data.tokenizers.spacy import Spacy
from attnlab.errors import ConfigError, DataError

CANARY = "canary-4711"
MARKER = "marker"


def call(target, *arguments, **settings):
    return {"_target_": target, **({"_args_": list(arguments)} if arguments else {}), **settings}


def at(place, value):
    """A change of a configuration: ``value`` at a dotted place."""

    def change(config):
        *path, last = place.split(".")
        for name in path:
            config = config[name]
        config[last] = value

    return change


# Each would make a file or tell a secret where a configuration is built as Hydra builds it. "M" stands for the file.
BUILDS = {
    "a shell": call("os.system", "touch M"),
    "a shell of another name": call("posix.system", "touch M"),
    "a process": call("subprocess.Popen", ["touch", "M"]),
    "a file": call("pathlib.Path.write_text", call("pathlib.Path", "M"), "x"),
    "an empty file": call("pathlib.Path.touch", call("pathlib.Path", "M")),
    "an open file": call("io.open", "M", "w"),
    "a builtin": call("builtins.exec", "open('M', 'w')"),
    "a pickle of torch": call("torch.load", "P", weights_only=False),
    "a pickle": call("pickle.load", call("io.open", "P", "rb")),
    "a pickle of numpy": call("numpy.load", "P", allow_pickle=True),
    "a pickle of joblib": call("joblib.load", "P"),
    "a compiler": call("torch.utils.cpp_extension.load", name="x", sources=["M"]),
    "a hub": call("torch.hub.load", "F", "entry", source="local"),
    "a folder of torch": call("torch.hub.set_dir", "M"),
    "a saved tensor": call("torch.save", "x", "M"),
    "a partial": call("functools.partial", call("hydra.utils.get_method", "os.system"), "touch M"),
    "a deferred call": call("os.system", "touch M", _partial_=True),
    "no recursion": call("hydra.utils.instantiate", call("os.system", "touch M"), _recursive_=False),
    "Hydra's own": call("hydra._internal.instantiate._instantiate2.instantiate", call("os.system", "touch M")),
    "an object by name": call("hydra.utils.get_object", "os.environ"),
    "through a module of ours": call("attnlab.data.download.urllib.request.urlretrieve", "file:///etc/hostname", "M"),
    "through a module of torch": call("torch.nn.modules.module.os.system", "touch M"),
    "through an attribute": call("torch.nn.Linear.__init__.__globals__.get", "x"),
    "a function of ours that writes": call("attnlab.runs.writing.save_metrics", "M", {}),
    "a command of ours": call("attnlab.cli.app.launch", "x"),
    "a folder of ours": call("attnlab.cli.folders.link_latest", "M", "M"),
    "Lightning's command line": call("pytorch_lightning.cli.LightningCLI"),
    "a server to log to": call("pytorch_lightning.loggers.MLFlowLogger", tracking_uri="file:M"),
    "a profiler's file": call("pytorch_lightning.profilers.SimpleProfiler", dirpath="F", filename="M"),
    "a module of its own": call("evil_module.Evil"),
    "a module beside the run": call("evil.Evil"),
    "a joke": call("antigravity.geohash", 1),
    "no name": call(3),
    "a target by reference": {"_target_": "${attention.text}"},
    "a target with a resolver": {"_target_": "${oc.env:CANARY}"},
}
TEXTS = {
    "the environment": "${oc.env:CANARY}",
    "in a text": "a ${oc.env:CANARY} b",
    "another resolver": "${oc.decode:${oc.env:CANARY}}",
    "of Hydra": "${hydra:job.env_set}",
    "Hydra's node": "${hydra.job.env_set}",
    "the working folder": "${hydra:runtime.cwd}",
    "escaped": "\\${oc.env:CANARY}",
    "put together": "$${model.bridge}",
    "one in another": "${model.${oc.env:CANARY}}",
    "select": "${oc.select:paths.root}",
    "above the root": "${.......x}",
    "a resolver of this project": "${job_folder:x,y}",
}
CHANGES = {
    **{name: at("encoder.extra", node) for name, node in BUILDS.items()},
    "in a list": at("encoder.extra", [[{"deep": [BUILDS["a shell"]]}]]),
    "in the search": at("search", BUILDS["a shell"]),
    "in the model": at("model", {**BUILDS["a shell"], "_partial_": True}),
    **{f"text: {name}": at("model.embedding_dim", text) for name, text in TEXTS.items()},
    "a list of defaults": at("attention.defaults", ["/hydra/launcher: joblib", "_self_"]),
    "a path of Python": at("seed", Path("M")),
}


@pytest.fixture
def hostile(run, tmp_path):
    """Copies of a run with a change in its configuration, with a pickle and a module beside it."""

    def make(change):
        folder = tmp_path / "run"
        shutil.copytree(run, folder, symlinks=True)
        (folder / "evil.py").write_text(f"open({str(tmp_path / MARKER)!r}, 'w')\nEvil = dict\n", "utf-8")
        (folder / "pickle").write_bytes(b"cposix\nsystem\n(S'touch " + str(tmp_path / MARKER).encode() + b"'\ntR.")
        file = folder / ".hydra" / "config.yaml"
        config = yaml.safe_load(file.read_text("utf-8"))
        change(config)
        text = yaml.dump(filled(config, {"M": tmp_path / MARKER, "P": folder / "pickle", "F": folder}))
        file.write_text(text, "utf-8")
        return folder

    return make


def filled(node, names):
    if isinstance(node, dict):
        return {key: filled(value, names) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value, names) for value in node]
    if isinstance(node, str):
        return str(names.get(node, node.replace("touch M", f"touch {names['M']}").replace("'M'", f"'{names['M']}'")))
    return node


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_of_a_hostile_folder_is_taken_over(hostile, tmp_path, monkeypatch, capsys, name):
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folder = hostile(CHANGES[name])
    monkeypatch.syspath_prepend(folder)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(MistakesError) as caught:
        recall([f"run={folder}"], GROUPS)
    (line,) = caught.value.messages
    assert "\n" not in line
    assert ("_target_" in line) == ("trust=[" in line)
    assert CANARY not in line + "".join(capsys.readouterr())
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", ["translate", "evaluate"])
def test_nor_by_the_commands(commands, hostile, tmp_path, command):
    folder = hostile(at("model.encoder", BUILDS["a module beside the run"]))
    environment = {"CANARY": CANARY, "PYTHONPATH": str(folder)}
    errors = commands(command, f"run={folder}", code=2, environment=environment)
    assert errors == (
        f"Error: run={folder}: model.encoder._target_: 'evil.Evil' is nothing that a recorded configuration may build; "
        "if you know who made this run and what that does, trust it with trust=[evil], or for good in "
        "conf/local/trust.yaml\n"
    )
    assert not (tmp_path / MARKER).exists()


@pytest.mark.parametrize("flags", [["--cfg", "job", "--resolve"]])
def test_nor_by_what_only_shows_it(commands, hostile, flags):
    folder = hostile(at("model.embedding_dim", "${oc.env:CANARY}"))
    errors = commands("evaluate", f"run={folder}", *flags, code=2, environment={"CANARY": CANARY})
    assert CANARY not in errors + commands.printed


@pytest.mark.parametrize("target", [
    "torch.nn.Linear", "torch.nn.modules.rnn.LSTM", "torch.optim.Adam", "torch.optim.adamw.AdamW",
    "torch.optim.lr_scheduler.ReduceLROnPlateau", "torch.optim.lr_scheduler.StepLR", "pytorch_lightning.Trainer",
    "pytorch_lightning.callbacks.EarlyStopping", "pytorch_lightning.loggers.CSVLogger",
    "pytorch_lightning.strategies.DDPStrategy", "torchmetrics.MeanMetric", "torchmetrics.text.SacreBLEUScore",
    "attnlab.tasks.schedules.noam", "attnlab.attention.base.Attention", "attnlab.data.corpora.grammar.corpus.Grammar",
])  # fmt: skip
def test_what_a_run_is_made_of_may_be_built(target):
    assert allowed(target, ())


def test_everything_that_the_shipped_configurations_name_may_be_built():
    assert len(ours()) > 90
    assert [target for target in ours() if not allowed(target, ())] == []


MINE = """
from attnlab.attention.scores.luong_dot import LuongDot
from os import system


class Mine(LuongDot):
    pass
"""


@pytest.fixture
def foreign(hostile, run, tmp_path, monkeypatch):
    """A run whose score is of a module from outside, on the path; nothing is trusted yet."""
    (tmp_path / "my_score.py").write_text(MINE, "utf-8")
    return hostile(at("attention.score._target_", "my_score.Mine"))


def conf_with(tmp_path, text):
    """A folder with a file of local trust in its conf/."""
    local = tmp_path / "conf" / "local"
    local.mkdir(parents=True)
    (local / "trust.yaml").write_text(text, "utf-8")


def test_a_mechanism_from_outside_translates_once_it_is_trusted(commands, foreign, tmp_path):
    weights = foreign / "checkpoints" / "best.ckpt"
    saved = torch.load(weights, weights_only=True)
    saved["state_dict"] = {k: v for k, v in saved["state_dict"].items() if "attention.score" not in k}
    torch.save(saved, weights)
    environment = {"PYTHONPATH": str(tmp_path)}
    arguments = (f"run={foreign}", "decoder.hidden_dim=16")
    errors = commands("translate", *arguments, code=2, environment=environment, text="the dog sleeps .\n")
    assert "trust=[my_score]" in errors
    said = commands("translate", *arguments, "trust=[my_score]", environment=environment, text="the dog sleeps .\n")
    assert len(said.splitlines()) == 1


def test_what_is_trusted_is_what_is_defined_there(monkeypatch, tmp_path):
    (tmp_path / "my_score.py").write_text(MINE, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert allowed("my_score.Mine", {"my_score"})
    assert allowed("my_score.LuongDot", {"my_score"})
    assert not allowed("my_score.system", {"my_score"})
    assert not allowed("my_score.Mine", {"my_sco"})
    assert not allowed("my_score.Mine.__init__.__globals__", {"my_score"})


@pytest.mark.parametrize("place", ["checkout", "current folder"])
def test_local_trust(foreign, place, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MistakesError, match="my_score"):
        recall([f"run={foreign}"], GROUPS)
    conf_with(tmp_path, "trust: [my_score]\n")
    if place == "checkout":
        for group in ("optimizer", "scheduler"):  # as every checkout has them
            (tmp_path / "conf" / group).symlink_to(project.configuration() / group)
        monkeypatch.setattr("attnlab.cli.project.CHECKOUT", tmp_path)
    else:
        monkeypatch.chdir(tmp_path)
    recall([f"run={foreign}"], GROUPS)


@pytest.mark.parametrize(
    "text", ["[my_score]", "trust: my_score", "trust: [os system]", "other: [a]", "trust: [*a]", "", "{"]
)
def test_local_trust_that_says_nothing(tmp_path, monkeypatch, text):
    conf_with(tmp_path, text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MistakesError, match="trust"):
        trusted([])


@pytest.mark.parametrize("override", ["trust=my_score", "trust=[a],[b]", "trust=['os system']", "trust=[1]"])
def test_trust_that_says_nothing(override):
    with pytest.raises(MistakesError, match="trust"):
        trusted([override])


def test_places_come_from_the_command(hostile, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))

    def change(config):
        config["data"]["cache"] = "/elsewhere/cache"
        config["data"]["corpus"] = {"_target_": "attnlab.data.corpora.tatoeba.Tatoeba", "root": "${paths.data}/../../x"}
        config["trainer"]["default_root_dir"] = "~/x"
        config["data"]["tokenizers"] = "/elsewhere"

    folder = hostile(change)
    found = recorded(folder, PARTS, [f"run={folder}"])
    assert found["data"]["cache"] == "${paths.cache}"
    assert found["data"]["corpus"]["root"] == "${paths.data}"
    assert found["data"]["tokenizers"] is None
    assert found["trainer"]["default_root_dir"] == "${paths.run}"
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert all("is not taken over" in line for line in told)
    recorded(folder, PARTS, ["data.cache=/mine", "data.corpus.root=/mine", "trainer.default_root_dir=/mine"])
    assert capsys.readouterr().err == ""


def test_what_the_command_line_replaces_does_not_matter(hostile, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folder = hostile(at("dataset", BUILDS["a shell"]))
    assert "dataset" not in recorded(folder, PARTS, ["dataset=grammar"], GROUPS)
    assert "dataset" not in recorded(folder, MODEL_PARTS, [])
    with pytest.raises(MistakesError, match=r"os\.system"):
        recorded(folder, PARTS, ["dataset=recorded"], GROUPS)


def test_what_only_training_builds_is_not_asked_about(hostile, tmp_path, monkeypatch):
    """No command but train.py has a use for an optimizer, so nobody has to trust one to test or to translate."""
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folder = hostile(at("optimizer", call("my_optimizer.Mine", _partial_=True)))
    for parts in (PARTS, (*MODEL_PARTS, "task", "data")):
        found = recorded(folder, parts, [], GROUPS)
        assert found["optimizer"]["_target_"] == "torch.optim.sgd.SGD"


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))


@pytest.mark.parametrize("text", [
    BOMB,
    "a: &a [*a]\n", "[" * 100 + "]" * 100, "x" * (1 << 20) + "x", "a: !!python/object/apply:os.getcwd []",
    "a: \x00", "- a", "3", "", "a: *b", "{" * 5000,
])  # fmt: skip
def test_a_configuration_that_is_none(run, tmp_path, monkeypatch, text):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    file = tmp_path / "run" / ".hydra" / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text, "utf-8")
    with pytest.raises(MistakesError) as caught:
        recall([f"run={tmp_path / 'run'}"], GROUPS)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 400


def test_results_stay_in_the_run_folder(hostile, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folder = hostile(lambda config: None)
    kept = tmp_path / "kept"
    kept.write_text("mine", "utf-8")
    shutil.rmtree(folder / "evaluations", ignore_errors=True)
    (folder / "evaluations").mkdir()
    (folder / "evaluations" / "inside.json").symlink_to("../metrics.json")
    prepare([f"run={folder}"])
    (folder / "evaluations" / "multirun.yaml").symlink_to(kept)
    with pytest.raises(MistakesError, match="leads out of the run folder"):
        prepare([f"run={folder}"])
    shutil.rmtree(folder / "evaluations")
    (folder / "evaluations").symlink_to(tmp_path / "new")
    with pytest.raises(MistakesError, match="leads out of the run folder"):
        prepare([f"run={folder}"])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("text", [
    '{"tokenizer": "os", "settings": {}, "state": []}', '{"tokenizer": "../word", "settings": {}, "state": []}',
    '{"tokenizer": "load", "settings": {}, "state": []}', "[" * 100_000, "[]", "{}", "",
    '{"tokenizer": "bpe", "settings": {"language": "en"}, "state": {"version": "1.0"}}',
])  # fmt: skip
def test_a_tokenizer_that_is_none(tmp_path, text):
    (tmp_path / "source.json").write_text(text, "utf-8")
    with pytest.raises(DataError, match="no saved tokenizer"):
        load(tmp_path / "source.json")


def test_spacy_imports_nothing_by_a_language():
    with pytest.raises(ConfigError, match="is no code"):
        Spacy("en.tokenizer_exceptions").check()


def test_what_would_be_waited_for_is_no_tokenizer(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "endless.json").symlink_to("/dev/zero")
    for name in ("pipe", "endless"):
        for read in (load, digest):
            with pytest.raises(DataError, match="no ordinary file"):
                read(tmp_path / f"{name}.json")
    (tmp_path / "plain.json").write_text('{"a": "ü\\n"}', "utf-8")
    assert digest(tmp_path / "plain.json") == hashlib.sha256((tmp_path / "plain.json").read_bytes()).hexdigest()
