"""Weights come from checkpoints and safetensors files; a pickle that names code is refused, whatever torch is told."""

import ast
import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
from omegaconf import OmegaConf
from safetensors import safe_open
from safetensors.torch import save_file

from attnlab.callbacks.checkpoint_io import AtomicCheckpointIO
from attnlab.cli import main as console
from attnlab.cli.commands.export import export
from attnlab.cli.config.command_line import as_called
from attnlab.cli.weights import from_checkpoint, from_safetensors, identity, load_weights, save_weights
from attnlab.errors import ConfigError, DataError, StorageError

LOADS = ("load", "fit", "test", "validate", "predict", "load_from_checkpoint", "load_checkpoint", "pl_load")


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.fixture
def payload(run, tmp_path, monkeypatch):
    """A checkpoint of a run with code in it, and an environment that tells torch to run it."""
    saved = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    torch.save({**saved, "state_dict": {**saved["state_dict"], "x": Payload(tmp_path / "marker")}}, tmp_path / "x.ckpt")
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    return tmp_path / "x.ckpt"


def test_the_payload_would_work(payload, tmp_path):
    with pytest.warns(UserWarning, match="FORCE_NO_WEIGHTS_ONLY"):
        torch.load(payload)
    assert (tmp_path / "marker").is_dir()


def test_a_checkpoint_that_names_code_is_refused(payload, tmp_path):
    with pytest.raises(DataError, match="it names code, which is not run"):
        from_checkpoint(payload)
    with pytest.raises(Exception, match=r"(?i)weights.only|names code"):
        AtomicCheckpointIO().load_checkpoint(payload, weights_only=True)
    assert not (tmp_path / "marker").exists()


def test_by_every_command(commands, run, payload, tmp_path):
    environment = {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}
    for command, arguments in (
        ("translate", [f"run={run}", f"checkpoint={payload}"]),
        ("evaluate", [f"run={run}", f"checkpoint={payload}"]),
    ):
        errors = commands(command, *arguments, code=2, environment=environment, text="a\n")
        assert errors.splitlines()[-1].startswith(f"Error: {payload}: no checkpoint")
        assert not (tmp_path / "marker").exists()


def test_every_call_that_may_unpickle_says_that_it_does_not(project_root):
    """``torch.load``, Lightning's loops and its checkpoint readers."""
    silent = []
    for path in [*(project_root / "src").rglob("*.py"), *(project_root / "benchmarks").rglob("*.py")]:
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in LOADS):
                continue
            owner = ast.unparse(call.func.value)
            if owner not in ("torch", "trainer", "super()") and not owner.endswith((".trainer", "Translation")):
                continue
            words = {word.arg: ast.unparse(word.value) for word in call.keywords}
            reads = owner in ("torch", "super()") or "ckpt_path" in words
            if reads and words.get("weights_only") != "True":
                silent.append(f"{path.relative_to(project_root)}:{call.lineno}")
    assert silent == []


@pytest.mark.parametrize(("content", "reason"), [
    (b"", "no checkpoint"),
    (b"text\n", "no checkpoint"),
    (b"PK\x03\x04" + bytes(100), "no checkpoint"),
    (b"\x80\x02}q\x00.", "no checkpoint"),
])  # fmt: skip
def test_what_is_no_checkpoint(tmp_path, content, reason):
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(DataError, match=reason):
        from_checkpoint(tmp_path / "x.ckpt")


def test_a_checkpoint_without_a_state(tmp_path):
    for number, saved in enumerate(([], {}, {"state_dict": 3}, {"state_dict": {"a": 3}})):
        torch.save(saved, tmp_path / f"{number}.ckpt")
        with pytest.raises(DataError, match="no tensors under state_dict"):
            from_checkpoint(tmp_path / f"{number}.ckpt")


def test_safetensors_hold_the_weights_of_the_checkpoint(run, tmp_path):
    checkpoint = run / "checkpoints" / "best.ckpt"
    save_weights(run, checkpoint, tmp_path / "m.safetensors")
    expected = torch.load(checkpoint, weights_only=True)["state_dict"]
    found = from_safetensors(tmp_path / "m.safetensors", run)
    assert {f"model.{name}" for name in found} == {name for name in expected if name.startswith("model.")}
    assert all(torch.equal(value, expected[f"model.{name}"]) for name, value in found.items())
    with safe_open(tmp_path / "m.safetensors", framework="pt") as file:
        about = file.metadata()
    sizes = {side: len(json.loads((run / "tokenizer" / f"{side}.json").read_text("utf-8"))["state"])
             for side in ("source", "target")}  # fmt: skip
    assert {side: int(about[f"{side}_vocabulary"]) for side in sizes} == sizes
    assert about["checkpoint"] == "best"


def test_tied_weights_are_written_and_read(run, tmp_path):
    run = shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("*.ckpt"))  # it has none of its own
    weight = torch.arange(6.0).view(2, 3)
    torch.save({"state_dict": {"model.a.weight": weight, "model.b.weight": weight}}, tmp_path / "tied.ckpt")
    save_weights(run, tmp_path / "tied.ckpt", tmp_path / "m.safetensors")
    network = torch.nn.ModuleDict({"a": torch.nn.Linear(3, 2, bias=False), "b": torch.nn.Linear(3, 2, bias=False)})
    network["b"].weight = network["a"].weight
    load_weights(network, tmp_path / "m.safetensors", run)
    assert torch.equal(network["b"].weight, weight)


def test_safetensors_of_another_model_or_vocabulary_are_refused(run, tmp_path):
    file = tmp_path / "m.safetensors"
    tensors = from_checkpoint(run / "checkpoints" / "best.ckpt")
    for key in ("config_sha256", "source_tokenizer_sha256", "target_vocabulary"):
        save_file(tensors, file, metadata={**identity(run), key: "0"})
        with pytest.raises(ConfigError, match=f"its {key} is 0"):
            from_safetensors(file, run)
    file.write_bytes(b"\xff" * 64)
    with pytest.raises(DataError, match="no safetensors file"):
        from_safetensors(file, run)


def test_a_run_without_its_checkpoints_translates_from_safetensors(commands, run, tmp_path):
    plain = commands("translate", f"run={run}", text="the dog sleeps .\n")
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    save_weights(copy, copy / "checkpoints" / "best.ckpt", copy / "model.safetensors")
    shutil.rmtree(copy / "checkpoints")
    assert commands("translate", f"run={copy}", "checkpoint=model.safetensors", text="the dog sleeps .\n") == plain


def attnlab(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["attnlab", *arguments])
    console.main()


def test_the_console_command_exports(run, tmp_path):
    """In a process of its own: a command sets logging and Hydra up for the whole process that it is in."""
    command = [sys.executable, "-c", "from attnlab.cli.main import main; main()"]
    environment = os.environ | {"ATTNLAB_ROOT": str(tmp_path)}
    done = subprocess.run(
        [*command, "export", f"run={run}", "output=m.safetensors"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "weights: m.safetensors\n"
    assert from_safetensors(tmp_path / "m.safetensors", run)


EXPORTED = {  # what the checkpoint holds under state_dict, what is told
    "nothing": (lambda state: {}, "no tensor of a model is in it"),
    "no model's": (lambda state: {"x": torch.ones(2)}, "no tensor of a model is in it"),
    "another model's": (lambda state: {"model.x": torch.ones(2)}, "these weights are of another model"),
    "one more": (lambda state: {**state, "model.x": torch.ones(2)}, r"\(x is \[2\], in .*best\.ckpt nothing"),
    "one less": (lambda state: dict(list(state.items())[:-1]), "is nothing, in "),
    "another size": (lambda state: {name: value[:1] for name, value in state.items()}, r"is \[1"),
}


@pytest.mark.parametrize("case", EXPORTED)
def test_only_weights_of_the_run_get_its_name(run, tmp_path, case):
    change, told = EXPORTED[case]
    saved = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    torch.save({**saved, "state_dict": change(saved["state_dict"])}, tmp_path / "x.ckpt")
    with pytest.raises((ConfigError, DataError), match=told):
        save_weights(run, tmp_path / "x.ckpt", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def test_an_export_takes_the_place_of_no_checkpoint_and_of_no_device(run, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    best = run / "checkpoints" / "best.ckpt"
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    told = {
        best: f"output={best}: expected a name that ends in .safetensors",
        "/dev/null": "output=/dev/null: expected a name that ends in .safetensors",
        tmp_path / "pipe.safetensors": "this is a pipe or a device, expected a file or nothing",
        tmp_path / "folder.safetensors": f"move away the folder {tmp_path}/folder.safetensors",
    }
    before = best.read_bytes()
    for output, words in told.items():
        asked = OmegaConf.create({"run": str(run), "checkpoint": "best", "to": "safetensors", "output": str(output)})
        with pytest.raises((ConfigError, StorageError)) as caught:
            export(asked)
        assert words in str(caught.value)
    assert best.read_bytes() == before
    assert (tmp_path / "pipe.safetensors").is_fifo()


def test_the_console_command_lists_its_commands(monkeypatch, capsys):
    attnlab(monkeypatch, "--help")
    said = capsys.readouterr().out
    assert [line.split()[1] for line in said.splitlines() if line.startswith("  attnlab")] == list(console.COMMANDS)
    with pytest.raises(SystemExit, match="2"):
        attnlab(monkeypatch, "trian")
    assert "did you mean train" in capsys.readouterr().err


@pytest.mark.parametrize("name", console.COMMANDS)
def test_every_command_has_its_module(project_root, name):
    assert "def main()" in (project_root / "src" / "attnlab" / "cli" / "commands" / f"{name}.py").read_text("utf-8")


@pytest.mark.parametrize(("called", "expected"), [
    (["python", "train.py"], "python train.py resume=x"),
    (["/x/python", "/x/bin/attnlab", "train"], "attnlab train resume=x"),
    (["/x/python", "-m", "attnlab", "train"], "attnlab train resume=x"),
])  # fmt: skip
def test_hints_are_in_the_words_of_the_call(monkeypatch, called, expected):
    monkeypatch.setattr(sys, "orig_argv", called)
    assert as_called("python train.py resume=x") == expected
