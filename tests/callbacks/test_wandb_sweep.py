"""Sweeps in W&B, read back from what was written to the disk: multiruns, and runs that ``wandb agent`` starts."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import wandb
import yaml
from wandb import wandb_agent
from wandb.apis.public import sweeps as server
from wandb_records import console, history, media, records

SWEEPS = sorted((Path(__file__).resolve().parents[2] / "sweeps").glob("*.yaml"))
TINY = {
    "trainer": "smoke", "dataset.train_size": 200, "dataset.val_size": 20, "dataset.test_size": 20,
    "encoder.hidden_dim": 8, "decoder.hidden_dim": 16, "model.embedding_dim": 8,
}  # fmt: skip


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("root")
    python = str(Path(sys.executable).parent)
    return {
        "ATTNLAB_ROOT": str(root), "ATTNLAB_CACHE": str(root / "cache"), "OMP_NUM_THREADS": "1",
        "WANDB_DIR": str(root), "PATH": f"{python}:{os.environ['PATH']}",
    }  # fmt: skip


def config_of(run: Path) -> dict[str, Any]:
    (start,) = records(run, "run")  # here is what a sweep has set
    logged: dict[str, Any] = dict(start.get("config", {}).get("update", {}))
    for record in records(run, "config"):
        logged |= record["update"]
    return logged


@pytest.fixture(scope="module")
def multirun(project_root: Path, environment: dict[str, str]) -> dict[str, Path]:
    """Two jobs, by attention."""
    command = [sys.executable, str(project_root / "train.py"), "-m", "attention=none,luong_dot", "sweep_name=types"]
    command += [f"{key}={value}" for key, value in TINY.items()]
    subprocess.run(command, env=os.environ | environment, check=True, capture_output=True, timeout=300)
    jobs = Path(environment["ATTNLAB_ROOT"], "sweeps", "types", "latest").resolve().glob("*/metrics.json")
    return {json.loads(path.read_text())["attention"]: path.parent for path in jobs}


@pytest.mark.long
def test_jobs_of_a_multirun_are_a_group(multirun: dict[str, Path]) -> None:
    assert set(multirun) == {"none", "luong_dot"}
    groups = set()
    for attention, job in multirun.items():
        (run,) = records(job, "run")
        groups.add(run["run_group"])
        assert run["job_type"] == "train"
        assert run["display_name"] == f"grammar_{attention}_1"
        assert set(run["tags"]) >= {"grammar", attention, "seed-1"}
    assert groups == {f"types/{job.parent.name}" for job in multirun.values()}


@pytest.mark.long
def test_a_dashboard_can_group_by_attention_dataset_and_seed(multirun: dict[str, Path]) -> None:
    for attention, job in multirun.items():
        config = config_of(job)
        assert (config["attention"], config["dataset"], config["seed"]) == (attention, "grammar", 1)
        assert config["encoder.hidden_dim"] == 8


@pytest.mark.long
def test_history_tables_and_images_of_each_job(multirun: dict[str, Path]) -> None:
    for attention, job in multirun.items():
        metrics = json.loads((job / "metrics.json").read_text())
        assert history(job, "test/bleu") == [pytest.approx(metrics["test/bleu"])]
        assert len(history(job, "train/loss")) == 2
        (path,) = history(job, "val/samples.path")
        table = json.loads(media(job, path).read_text(encoding="utf-8"))
        assert table["columns"][-3:] == ["source", "reference", "hypothesis"]
        assert len(table["data"]) == 8
        images = list((job / "wandb").glob("offline-run-*/files/media/images/**/*.png"))
        assert bool(images) == (attention != "none"), "a mechanism without alignments has no heatmap"


@pytest.mark.long
def test_the_console_of_each_job(multirun: dict[str, Path]) -> None:
    """All that the log has, the card before W&B starts and the table after it, of every job of the process."""
    for job in multirun.values():
        shown = console(job)
        log = (job / "train.log").read_text("utf-8")
        assert log.startswith(shown)
        assert "vocabulary of" in shown or "data: as in the job before" in shown
        assert "W&B: offline" in shown


def combinations(definition: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs that W&B's grid would start; of a distribution its ends."""
    choices = {
        name: parameter.get("values") or [parameter[key] for key in ("value", "min", "max") if key in parameter]
        for name, parameter in definition["parameters"].items()
    }
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


def command_line(definition: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """What the agent makes of the definition for a run."""
    command = {"type": "run", "args": {name: {"value": value} for name, value in values.items()}}
    return wandb.sdk.launch.sweeps.utils.create_sweep_command_args(command)["args_no_hyphens"]


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.long] * (path.stem == "luong_table")) for path in SWEEPS],
    ids=lambda path: path.stem,
)
def test_every_run_of_a_definition_passes_the_check(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attnlab.cli import build, folders
    from attnlab.cli.app import read_flags
    from attnlab.cli.commands.train import Options
    from attnlab.cli.config.compose import Composer

    monkeypatch.setenv("ATTNLAB_ROOT", str(tmp_path))
    folders.register()
    definition = yaml.safe_load(path.read_text("utf-8"))
    assert definition["program"] == "attnlab"
    runs = combinations(definition)
    several = [name for name, parameter in definition["parameters"].items() if len(parameter.get("values", [])) > 1]
    seen = set()
    for values in runs:  # each value of each parameter once
        if new := {(name, values[name]) for name in several} - seen:
            seen |= new
            arguments = read_flags(command_line(definition, values))
            with Composer("train", arguments, Options) as composer:
                config = composer.check()
                build.rehearse(config)
                chosen = config.hydra.runtime.choices
                assert {name: chosen[name] for name in values if name in chosen} == {
                    name: value for name, value in values.items() if name in chosen
                }
    assert seen


@pytest.mark.long
def test_an_agent_runs_a_definition(
    project_root: Path, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent is W&B's own; only its server is played."""
    path = project_root / "sweeps" / "attention_types.yaml"
    definition = yaml.safe_load(path.read_text("utf-8"))
    wanted = [values for values in combinations(definition) if values["attention"] in ("bahdanau", "luong_dot")]
    wanted = [values for values in wanted if values["seed"] == 2]
    waiting = [
        {"type": "run", "run_id": f"run{number}", "program": definition["program"],
         "args": {name: {"value": value} for name, value in (values | TINY).items()}}
        for number, values in enumerate(wanted)
    ]  # fmt: skip

    def heartbeat(api: Any, agent: str, metrics: Any, running: dict[str, bool]) -> list[dict[str, Any]]:
        return [] if running or not waiting else [waiting.pop(0)]

    monkeypatch.setattr(wandb, "Api", lambda *_, **__: None)
    monkeypatch.setattr(server, "_sweep_with_runs", lambda *_, **__: {"config": path.read_text("utf-8")})
    monkeypatch.setattr(server, "_register_agent", lambda *_, **__: {"id": "agent"})
    monkeypatch.setattr(server, "_agent_heartbeat", heartbeat)
    monkeypatch.setattr(wandb_agent.Agent, "POLL_INTERVAL", 0.2)
    for name, value in (environment | {"ATTNLAB_ROOT": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    for name in ("WANDB_SWEEP_ID", "WANDB_RUN_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_ENTITY", "WANDB_PROJECT"):
        monkeypatch.setenv(name, "")  # the agent sets them, and they are to be forgotten afterwards
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    wandb_agent.run_agent("abc123", entity="us", project="attnlab", count=len(wanted))

    runs = sorted(path.parent for path in tmp_path.glob("outputs/grammar/*/*/metrics.json"))
    assert [run.parent.name for run in runs] == ["bahdanau", "luong_dot"]
    for number, folder in enumerate(runs):
        (run,) = records(folder, "run")
        assert run["run_id"] == f"run{number}"
        assert run["sweep_id"] == "abc123"
        assert run["run_group"] == "sweep-abc123"
        assert run["job_type"] == "train"
        assert set(run["tags"]) >= {"grammar", wanted[number]["attention"], "seed-2"}
        config = config_of(folder)
        assert {name: config[name] for name in wanted[number]} == wanted[number]
        assert config["decoder"] == {"bahdanau": "bahdanau", "luong_dot": "luong"}[wanted[number]["attention"]]
        assert config["encoder.hidden_dim"] == 8
        assert len(history(folder, "test/bleu")) == 1
