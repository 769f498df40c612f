"""A sweep in W&B from its jobs to the comparison, and what later commands tell there; read back from the disk."""

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import wandb
from omegaconf import OmegaConf
from PIL import Image
from wandb_records import history, media, records, summary, table
from wandb_stand_in import standing_in
from wandb_views import lacking, panels

from attnlab.analysis.comparing import Settings, compare
from attnlab.analysis.finding import find_runs
from attnlab.callbacks.wandb_start import run_of, sync_all
from attnlab.cli.commands.dashboard import dashboard
from attnlab.cli.wandb_report import save_report


@pytest.fixture(scope="module")
def sweep(commands, tiny):
    """Two jobs and their comparison, and what was printed."""
    arguments = [word for word in tiny if word != "logger=none"]
    return commands(
        "train",
        "-m",
        "attention=none,luong_dot",
        "sweep_name=told",
        "compare_after=wandb",
        *arguments,
        "callbacks.attention_maps.sentences=1",
    )


@pytest.fixture(scope="module")
def folder(sweep):
    return Path(sweep.rpartition("multirun: ")[2].splitlines()[0])


@pytest.fixture(scope="module")
def jobs(folder):
    return {json.loads(path.read_text("utf-8"))["attention"]: path.parent for path in folder.glob("*/metrics.json")}


@pytest.fixture(scope="module")
def evaluated(commands, jobs):
    """A job that was evaluated, and has translated, after the sweep; what was said is in a file of it."""
    job = jobs["luong_dot"]
    commands("evaluate", f"run={job}", "search=beam", "name=beam", "wandb=true")
    commands("translate", f"run={job}", f"output={job / 'out.txt'}", "wandb=true", text="a man sleeps\n")
    return job


def artifacts(run, kind):
    return [record for record in records(run, "artifact") if record["type"] == kind]


def contents(record):
    return {entry["path"]: entry["digest"] for entry in record["manifest"]["contents"]}


def would_sync(line):
    """What W&B's own program says of a line, once the shell has read it."""
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} -m {line} --dry-run", shell=True, capture_output=True, text=True, timeout=120,
        check=True,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_one_line_uploads_all_of_a_sweep(sweep, folder):
    """W&B's own program finds every run of it by that line."""
    line = sweep.strip().splitlines()[-1].removeprefix("to upload all of it to W&B: ")
    assert line == f"wandb sync {folder}/*/wandb"
    assert "Would sync 3 run(s)" in would_sync(line)


def test_and_all_that_its_jobs_have_told_since(folder, evaluated):
    assert evaluated.parent == folder
    assert sync_all(folder) == f"wandb sync {folder}/*/wandb {folder}/*/*/wandb"
    assert "Would sync 5 run(s)" in would_sync(sync_all(folder))


def test_offline_it_is_said_what_to_do_for_a_report(sweep, folder):
    (line,) = [line for line in sweep.splitlines() if line.startswith("W&B: a report")]
    assert line.endswith(f"python compare.py runs={folder} report=wandb")
    assert f"upload the runs (wandb sync {folder}/*/wandb)" in line
    assert "wandb sync" in line


@pytest.fixture(scope="module")
def uploaded(folder, evaluated, tmp_path_factory):
    """A server to which that line has uploaded the sweep; of a copy, since W&B marks what it has uploaded."""
    copy = tmp_path_factory.mktemp("uploaded") / folder.name
    shutil.copytree(folder, copy, symlinks=True)
    with standing_in() as server:
        places = sorted(map(str, (*copy.glob("*/wandb"), *copy.glob("*/*/wandb"))))
        for _ in range(2):  # the second time there is nothing left to upload
            asked = len(server.asked)
            command = [sys.executable, "-m", "wandb", "sync", *places]
            subprocess.run(command, capture_output=True, check=True, timeout=240, env=os.environ | server.environment())
        assert len(server.asked) == asked
        yield server


def test_what_is_uploaded_is_what_the_run_folders_have(uploaded, jobs):
    assert uploaded.faults == []
    assert len(uploaded.runs) == 5
    for attention, job in jobs.items():
        run = uploaded.runs[run_of(job).id]
        assert run.ended == 0
        assert (run.told["jobType"], run.told["groupName"].partition("/")[0]) == ("train", "told")
        assert {attention, "grammar"} <= set(run.told["tags"])
        assert run.config["model.decoder.hidden_dim"] == 16
        metrics = json.loads((job / "metrics.json").read_text("utf-8"))
        assert run.summary["test/bleu"] == pytest.approx(metrics["test/bleu"])
        lines = [json.loads(line) for line in (job / "history.jsonl").read_text("utf-8").splitlines()]
        assert run.history("val/bleu") == pytest.approx([line["val/bleu"] for line in lines if "val/bleu" in line])
        assert "epoch 1/" in "".join(run.lines("output.log"))


def test_the_pictures_and_tables_are_there(uploaded, jobs):
    for attention, job in jobs.items():
        run = uploaded.runs[run_of(job).id]
        pictures = [name for name in run.files if name.endswith(".png")]
        assert all(Image.open(io.BytesIO(run.files[name])).size > (100, 100) for name in pictures)
        told = [name for row in run.rows("wandb-history.jsonl") for item in row.values()
                if isinstance(item, dict) for name in item.get("filenames", ())]  # fmt: skip
        assert sorted(told) == sorted(pictures)
        assert bool(pictures) == (attention != "none")
        for path in [told["path"] for told in run.history("test/samples")]:
            assert json.loads(run.files[path])["data"]


@pytest.fixture(scope="module")
def views(uploaded, folder, jobs):
    """What is sent for a dashboard of the group, and for the report of its comparison."""
    wandb.teardown()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in uploaded.environment().items():
            patch.setenv(name, value)
        group = {"entity": None, "project": "attnlab", "group": f"told/{folder.name}", "title": "Attention"}
        dashboard(OmegaConf.create(group))
        of = [run_of(job) for job in jobs.values()]
        save_report(compare(find_runs([folder], folder), Settings(), "compare"), of[0], [one.id for one in of])
    wandb.teardown()
    return [json.loads(view["spec"]) for view in uploaded.views]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_panel_has_something_to_show(uploaded, views):
    """What a dashboard and a report name is what was uploaded, by the names that it was uploaded under."""
    workspace, report = views
    runs = list(uploaded.runs.values())
    assert lacking(workspace, runs) == []
    assert lacking(report, runs) == []
    named = json.dumps([panel["config"] for panel in panels(workspace)])
    for key in ("comparison/scores", "comparison/report", "attention/over_training", "data/card", "test_long/samples",
                "train/gradient_norm"):  # fmt: skip
        assert f'"{key}"' in named
    sections = [section["name"] for section in workspace["section"]["panelBankConfig"]["sections"]]
    assert sections[:2] == ["Comparison", "Learning curves by attention"]
    assert "Sample translations" in sections, "the comparison is in the group, and makes none"


def test_versions_are_shared_and_their_lineage_is_there(uploaded, folder, jobs):
    runs = {run_of(job).id for job in jobs.values()}
    for artifact in uploaded.artifacts:
        assert artifact.committed
        assert set(artifact.files) <= set(artifact.manifest)
    (data,) = uploaded.of("dataset")
    assert {uploaded.runs[user].told["jobType"] for user in set(data.users) - runs} == {"evaluate"}
    assert set(data.users) > runs
    assert json.loads(data.files["data_card.json"])
    models = uploaded.of("model")
    assert {model.maker for model in models} == runs
    assert all("checkpoints/best.ckpt" in model.manifest for model in models), "its place and checksum"
    assert not any("checkpoints/best.ckpt" in model.files for model in models), "nothing of it"
    (comparison,) = uploaded.of("comparison")
    evaluations = [one for one in uploaded.of("evaluation") if comparison.maker in one.users]
    assert len(evaluations) == 2, "what the comparison was given are the versions that the jobs have made"
    assert {evaluation.maker for evaluation in evaluations} == runs
    assert len(uploaded.of("evaluation")) == 3, "and one that was made later"
    assert comparison.files["report.html"] == (folder / "comparison" / "report.html").read_bytes()


def test_the_comparison_is_a_run_of_the_group(folder, jobs):
    (run,) = records(folder / "comparison", "run")
    assert (run["job_type"], run["run_group"]) == ("compare", f"told/{folder.name}")
    of_jobs = [records(job, "run")[0] for job in jobs.values()]
    assert {job["run_group"] for job in of_jobs} == {run["run_group"]}


def test_its_numbers_are_those_of_the_files(folder):
    found = json.loads((folder / "comparison" / "comparison.json").read_text("utf-8"))
    told = summary(folder / "comparison")
    for row in found["rows"]["test"]:
        of = f"{row['configuration']}/test/bleu"
        for key, name in (("mean", "mean"), ("low", "low"), ("high", "high")):
            assert told[f"{of}/{key}"] == pytest.approx(row["scores"]["bleu"][name])
    (pair,) = found["against_baseline"]
    least = max(test["p_holm"] for test in pair["sentences"])
    assert told[f"{pair['a']}/test/bleu/p"] == pytest.approx(least)
    shown = table(folder / "comparison", "comparison/significance")
    assert pair["verdict"] in shown["data"][0]
    scores = table(folder / "comparison", "comparison/scores")
    assert {"bleu", "bleu_std", "bleu_low", "bleu_high"} <= set(scores["columns"])


def test_its_pictures_and_its_page(folder):
    place = folder / "comparison"
    for path in (place / "figures").glob("*.png"):
        ((name,),) = history(place, f"comparison/{path.stem}.filenames")
        assert media(place, name).read_bytes() == path.read_bytes()
    (page,) = history(place, "comparison/report.path")
    assert media(place, page).read_bytes() == (place / "report.html").read_bytes()


def test_it_was_given_the_evaluations_of_the_jobs(folder, jobs):
    """By their content: W&B sees that they are the versions that the jobs have made."""
    given = {record["name"]: record for record in artifacts(folder / "comparison", "evaluation")}
    assert len(given) == 2
    for job in jobs.values():
        (made,) = artifacts(job, "evaluation")
        told = given[made["name"]]
        assert told["use_after_commit"]
        assert (told["digest"], contents(told)) == (made["digest"], contents(made))
    (comparison,) = artifacts(folder / "comparison", "comparison")
    assert {"comparison.json", "report.html", "scores.csv"} <= set(contents(comparison))


def test_jobs_share_their_data(jobs):
    for kind in ("dataset", "tokenizer"):
        digests = {artifacts(job, kind)[0]["digest"] for job in jobs.values()}
        assert len(digests) == 1


def test_an_evaluation_tells_of_the_model_that_it_used(evaluated, jobs):
    place = evaluated / "evaluations"
    (run,) = records(place, "run")
    assert run["job_type"] == "evaluate"
    (used,), (made,) = artifacts(place, "model"), artifacts(evaluated, "model")
    assert used["use_after_commit"]
    assert (used["name"], used["digest"]) == (made["name"], made["digest"])
    (scored,) = artifacts(place, "evaluation")
    assert scored["name"].endswith("-beam"), "no newer version of what the training has measured"
    assert {"beam.json", "beam.test.jsonl"} <= set(contents(scored))
    metrics = json.loads((place / "beam.json").read_text("utf-8"))
    assert summary(place)["test/bleu"] == pytest.approx(metrics["test/bleu"])
    assert table(place, "test/samples")["data"]
    assert run_of(evaluated).id == records(evaluated, "run")[0]["run_id"], "what is gone on with stays the training"


def test_translations_tell_of_the_model_that_made_them(evaluated):
    place = evaluated / "answers"
    (used,), (made,) = artifacts(place, "model"), artifacts(evaluated, "model")
    assert (used["use_after_commit"], used["digest"]) == (True, made["digest"])
    (lines,) = artifacts(place, "translations")
    assert set(contents(lines)) == {"out.txt"}


@pytest.mark.long
def test_an_ensemble_tells_of_all_its_models(commands, jobs, uploaded):
    folder, member = jobs["none"], jobs["luong_dot"]  # after the upload: it leaves a run of its own
    commands("evaluate", f"run={folder}", f"ensemble=[{member}]", "name=both", "wandb=true")
    place = folder / "evaluations"
    assert {used["name"] for used in artifacts(place, "model")} == {
        f"model-{run_of(job).id}" for job in (folder, member)
    }
    assert all(used["use_after_commit"] for used in artifacts(place, "model"))
    (data,) = artifacts(place, "dataset")
    assert contents(data) == contents(artifacts(folder, "dataset")[0])


def test_what_was_told_later_is_uploaded_as_it_was_told(uploaded, evaluated):
    (model,) = (one for one in uploaded.of("model") if one.name == f"model-{run_of(evaluated).id}")
    kinds = {uploaded.runs[user].told["jobType"] for user in model.users}
    assert kinds == {"evaluate", "answer"}
    (lines,) = uploaded.of("translations")
    assert lines.files["out.txt"] == (evaluated / "out.txt").read_bytes()
    assert uploaded.faults == []


def test_a_run_that_was_not_recorded_there(commands, run):
    told = commands("evaluate", f"run={run}", "wandb=true", code=2)
    assert "was not recorded by W&B" in told
    said = commands("compare", f"runs={run}", "report=wandb", f"output={run.parent / 'alone'}")
    assert "W&B: none of these runs was recorded there" in said


@pytest.mark.long
def test_what_is_compared_once_more_is_told_in_the_same_run(commands, folder, tmp_path):
    """Where the report is written, after all has been uploaded."""
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy, symlinks=True, ignore=shutil.ignore_patterns("comparison"))
    for _ in range(2):
        commands("compare", f"runs={copy}", "report=wandb")
    parts = [path.name.rpartition("-") for path in copy.glob("comparison/wandb/offline-run-*")]
    assert len(parts) == 2
    assert len({name for *_, name in parts}) == 1


def test_a_multirun_that_is_there_is_gone_on_with(commands, folder, tmp_path):
    """Each of its jobs has a link of W&B's own to a log outside."""
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy, symlinks=True)
    assert any(path.is_symlink() for path in copy.glob("*/wandb/offline-run-*/logs/debug-core.log"))
    assert f"multirun: {copy}" in commands("train", "-m", f"resume={copy}", "compare_after=false")
