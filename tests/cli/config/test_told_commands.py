"""Every command and every line of Python that the README and the site tell is one that would run.

A command of the laboratory is composed and checked as it would be before anything is done; ``latest`` is what the last
training on the page has made. Of a multirun that is the last job, the others choose options that there are; the long
tests take every value, and build the model. test_told_commands_run.py runs the usual commands to their end.
"""

import ast
import gc
import re
import tomllib
from argparse import Namespace
from importlib import import_module
from pathlib import Path

import pytest
import torch
import yaml
from omegaconf import DictConfig, OmegaConf
from told_commands import LANGUAGES, PAGES, Told, blocks, commands

import attnlab
from attnlab.api.runs import TrainedRun
from attnlab.cli import build, folders
from attnlab.cli.app import Command, read_flags
from attnlab.cli.commands import gallery
from attnlab.cli.commands.new import KINDS, NAME
from attnlab.cli.config import compose
from attnlab.cli.config.compose import Composer
from attnlab.cli.config.overrides import wrong_choices
from attnlab.cli.config.parsing import parse
from attnlab.cli.main import COMMANDS
from attnlab.cli.multirun import combinations
from attnlab.cli.resume import go_on

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
# Programs that are not ours, of which nothing is checked but that they are meant.
OTHERS = (
    "mkdir", "cd", "echo", "printf", "paste", "grep", "pdflatex", "for", ".", "apt-get", "playwright", "iconv",
)  # fmt: skip
FOREIGN = ("eflomal", "systran-align")  # packages that the pages have one install, and that are no extra
WANDB = ("login", "sync", "sweep", "agent")
PYTHONS = ("python", "python3", ".venv/bin/python", ".venv-ray/bin/python")
PIPS = ("pip", ".venv/bin/pip", ".venv-ray/bin/pip")
PROGRAMS = (*PYTHONS, *PIPS, "attnlab", "poe", "wandb", "pre-commit", *OTHERS[:6])
NEEDS_RAY = "hydra/launcher=ray"  # an environment of its own
MODELS = ("bert", "bert-base-cased", "my-fine-tuned-bert")  # folders of the library transformers


MADE = "gallery"  # of the presets, which it composes itself
DONE: dict[tuple[str, ...], list[DictConfig]] = {}  # trainings of earlier pages, too
PRESETS = ("sweep=", "reproduce=")  # tests of their own compose every job of them


class Reader:
    """Somebody who types what a page tells, command by command, and trains nothing."""

    def __init__(self, root: Path, thorough: bool) -> None:
        self.thorough = thorough
        self.run = root / "outputs" / "grammar" / "luong_general" / "2026-11-30_10-00-00"

    def types(self, told: Told) -> None:
        """Check one command; AssertionError or the command's own error where it would not run."""
        program, *words = told.words
        if program in PYTHONS:
            self.python(words)
        elif program in PIPS:
            installs(words)
        elif program == "attnlab":
            self.laboratory(*words)
        elif program == "poe":
            assert words[0] in {*PROJECT["tool"]["poe"]["tasks"], "--help"}
            assert all((ROOT / path).exists() for path in words[1:])
        elif program == "wandb":
            assert words[0] in WANDB
            assert words[0] != "sweep" or (ROOT / words[1]).is_file()
        elif program == "pre-commit":
            assert words in (["install"], ["install", "-t", "pre-push"])
        else:
            assert program in OTHERS, f"{program}: nobody knows how to check that"

    def python(self, words: list[str]) -> None:
        script, *rest = words
        if script == "-m":
            module, *rest = rest
            assert module in ("venv", "pytest", gallery.__name__)
            if module == "pytest":
                named = [word for word in rest if word.startswith("tests/")]
                assert all((ROOT / name).exists() or name == "tests/test_scaled_general.py" for name in named)
            if module == gallery.__name__:
                assert all(word.partition("=")[0] in ("runs", "out") for word in rest)
            return
        assert (ROOT / script).is_file(), f"no {script}"
        if Path(script).stem in COMMANDS:
            self.laboratory(Path(script).stem, *rest)
        else:
            source = (ROOT / script).read_text("utf-8")
            assert all(f'"{word}"' in source for word in rest if word.startswith("--"))

    def laboratory(self, name: str, *words: str) -> None:
        assert name in COMMANDS
        if name == "new" and "--help" not in words:
            assert words[0] in KINDS, f"attnlab new makes no {words[0]}"
            assert all(map(NAME.fullmatch, words[1:]))
            return
        if "--help" in words or NEEDS_RAY in words or "attention=scaled_general" in words:
            return
        if "-m" in words and any(word.startswith("resume=") for word in words):
            words = tuple(word for word in words if not word.startswith("resume="))  # more is in test_told_commands_run
            words = words if len(words) > 1 else ("-m", "seed=1,2")
        command = import_module(f"attnlab.cli.commands.{name}").COMMAND
        if name != "train":
            checked(command, list(words), self.thorough)
            return
        goes_on = any(word.startswith(("resume=", "ckpt_path=")) for word in words)
        if goes_on:
            (self.run / "finished.json").unlink()
        key = (*words, str(self.thorough))
        if goes_on or key not in DONE:
            DONE[key] = checked(command, list(words), self.thorough)
            if self.thorough:
                build.rehearse(DONE[key][-1])
        self.leaves(DONE[key][-1])

    def leaves(self, config: DictConfig) -> None:
        """What a later command reads of a run, in the only run folder there is."""
        folder = self.run
        (folder / ".hydra").mkdir(parents=True, exist_ok=True)
        (folder / "checkpoints").mkdir(exist_ok=True)
        for name in ("best", "last"):
            (folder / "checkpoints" / f"{name}.ckpt").touch()
        hydra = OmegaConf.to_container(config.hydra, resolve=False)
        recorded = {
            key: value for key, value in OmegaConf.to_container(config, resolve=False).items() if key != "hydra"
        }
        (folder / ".hydra" / "config.yaml").write_text(yaml.safe_dump(recorded), "utf-8")
        (folder / ".hydra" / "hydra.yaml").write_text(OmegaConf.to_yaml({"hydra": hydra}), "utf-8")
        (folder / "finished.json").write_text('{"score": 1.0, "trial": null}', "utf-8")


def checked(command: Command, words: list[str], thorough: bool) -> list[DictConfig]:
    """The composed configurations of a command: of a multirun the last job, or so many that every value occurs."""
    arguments: Namespace = read_flags(words)
    if command.prepare is not None:
        command.prepare(arguments.overrides)
    if command.resumes:
        go_on(command, arguments)
    with Composer(command.name, arguments, command.options) as composer:
        if not thorough or any(word.startswith(PRESETS) for word in words):
            composer.jobs = lambda overrides: last_job(composer, Composer.jobs(composer, overrides))
        config = composer.check()
        return [config] if config is not None else [job for _, job in composer.to_come]


def last_job(composer: Composer, jobs: list[list[str]]) -> list[list[str]]:
    """One of the jobs; that the others choose options which there are is seen without composing them."""
    for job in jobs[:-1]:
        composer.mistakes.update(dict.fromkeys(wrong_choices(parse(job)[0], composer.groups).values()))
    return jobs[-1:]


def installs(words: list[str]) -> None:
    """What pip is told to install is this package, with extras that it has, or one that the pages mean."""
    named = [
        word
        for word in words[1:]
        if not word.startswith("-") and word not in ("constraints.txt", "constraints-ray.txt")
    ]
    if words[0] == "wheel":
        return
    assert words[0] == "install"
    for word in named:
        extras = re.fullmatch(r"(?:\.|attnlab)(?:\[(.+)\])?", word)
        if extras is None:
            assert word in FOREIGN or word.startswith("dist/attnlab-")
        else:
            known = {*PROJECT["project"]["optional-dependencies"]}
            assert {*(extras[1] or "").split(",")} - {""} <= known


@pytest.fixture(params=["composed", pytest.param("built", marks=pytest.mark.long)])
def reader(request, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["train"])
    monkeypatch.setattr(combinations, "MOST", 1)
    monkeypatch.setattr(compose, "combinations", one_seed)
    for name in MODELS:
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "config.json").write_text('{"model_type": "bert"}', "utf-8")
    monkeypatch.setattr(build, "require_devices", lambda trainer: None)  # a page is for machines with a GPU, too
    folders.register()
    gc.disable()  # as a command does while it composes
    yield Reader(tmp_path, request.param == "built")
    gc.enable()


def one_seed(choices):
    """So many jobs that every value occurs, without those of further seeds and folds."""
    more = ("seed", "dataset.fold")
    return combinations.combinations({key: values[: 1 if key in more else None] for key, values in choices.items()})


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != MADE], ids=lambda path: path.stem)
def test_every_command_of_a_page_would_run(page, reader):
    wrong = {}
    for told in [Told(page.name, 0, ("python", "train.py")), *commands(page, PROGRAMS)]:
        try:
            reader.types(told)
        except Exception as error:
            wrong[str(told)] = f"{type(error).__name__}: {error}"
    assert not wrong, "\n".join(f"{told}\n    {why}" for told, why in wrong.items())


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_code_that_is_no_command_says_its_language(page):
    for block in blocks(page):
        if block.language == "yaml":
            yaml.safe_load(block.text)
        elif block.language == "python":
            ast.parse(block.text)
        else:
            known = block.language in ("shell", "inline", *LANGUAGES) or block.language.startswith("{")
            assert known, f"{page.name}:{block.line}: a fence of {block.language!r}"


def snippets(page):
    return [block.text for block in blocks(page) if block.language == "python"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_python_names_what_there_is(page):
    for node in (node for text in snippets(page) for node in ast.walk(ast.parse(text))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("attnlab"):
            assert all(hasattr(import_module(node.module), name.name) for name in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = {"attnlab": attnlab, "run": TrainedRun}.get(node.value.id)
            assert owner is None or hasattr(owner, node.attr), f"{node.value.id}.{node.attr}"


def test_the_mechanism_alone_does_what_its_comments_say():
    (text,) = (text for page in PAGES for text in snippets(page) if "attention.initial_state" in text)
    B, T, S = 2, 3, 4
    names = {
        "attnlab": attnlab, "queries": torch.randn(B, T, 64), "states": torch.randn(B, S, 128),
        "mask": torch.ones(B, S, dtype=torch.bool), "query": torch.randn(B, 64),
    }  # fmt: skip
    first, _, rest = text.partition("memory = ")
    exec(first, names)
    assert names["seen"].context.shape == (B, T, 128)
    assert names["seen"].weights.shape == (B, T, S)
    exec(f"memory = {rest}", names)
    assert names["seen"].context.shape == (B, 1, 128)
    assert names["attention"].step(names["query"], names["memory"], names["seen"].history)
