"""What was recorded of a run is the base of whatever goes on with it."""

import json
import shutil
import time
from pathlib import Path

import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from multirun_files import by_seed
from omegaconf import OmegaConf

from attnlab.callbacks.new_settings import configure
from attnlab.cli.config.command_line import literal, quoted
from attnlab.cli.resume_changes import Change, differing, leaves, pinned, refusals


@pytest.fixture
def copy(run, tmp_path):
    """A finished run, moved to another place."""
    return shutil.copytree(run, tmp_path / "copy")


def recorded(folder):
    return OmegaConf.to_container(OmegaConf.load(folder / ".hydra" / "config.yaml"))


def points(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text("utf-8").splitlines()]


def test_a_finished_run_is_finished(commands, copy):
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    said = commands("train", f"resume={copy}")
    assert said == f"finished before: {copy}\nto prolong it: trainer.max_epochs=<more than before>\n"
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


@pytest.mark.long
def test_it_is_prolonged_as_it_was_recorded(commands, copy):
    before, first = recorded(copy), points(copy)
    rate = before["optimizer"]["lr"]
    said = commands("train", f"resume={copy}", "trainer.max_epochs=2", "optimizer.lr=0.5", "data.batch_size=16")
    assert said.startswith(f"goes on with {copy}\n  ")
    for line in ("data.batch_size: 48 -> 16", f"optimizer.lr: {rate} -> 0.5", "trainer.max_epochs: 1 -> 2"):
        assert f"\n  {line}\n" in said
    after = recorded(copy)
    changed = {key for key, value in leaves(after).items() if leaves(before).get(key) != value}
    assert changed == {"data.batch_size", "optimizer.lr", "trainer.max_epochs"}
    assert points(copy)[: len(first)] == first
    assert points(copy)[-1]["step"] == 4
    rates = [point["learning_rate"] for point in points(copy)[len(first) :]]
    assert max(rates) > 2 * rate, "the rate is that of the checkpoint, not the one asked for"
    assert json.loads((copy / "metrics.json").read_text("utf-8"))["train/epochs"] == 2
    # and so the second time, from what is recorded now
    assert commands("train", f"resume={copy}").startswith("finished before")


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("attention=bahdanau", "attention: luong_general -> bahdanau cannot be, the weights are of the recorded model"),
        (
            "attention=multi_head",  # of which the recorded settings of the encoder have no place
            "attention: luong_general -> multi_head cannot be, the weights are of the recorded model",
        ),
        ("encoder.hidden_dim=4", "encoder.hidden_dim: 8 -> 4 cannot be, the weights are of the recorded model"),
        (
            "tokenizer=char",
            "tokenizer: word -> char cannot be, the vocabulary and the batches are of the recorded data",
        ),
        ("dataset.train_size=100", "dataset.train_size: 200 -> 100 cannot be"),
        ("optimizer=sgd", "optimizer: adam -> sgd cannot be, the state of the recorded optimizer is of another kind"),
        ("seed=2", "seed: 1 -> 2 cannot be, a run has one seed"),
    ],
)
def test_what_cannot_go_on_is_refused_before_data_are_read(setting, why, commands, copy):
    told = commands("train", f"resume={copy}", setting, "trainer.max_epochs=2", code=2)
    assert told.startswith(f"Error: resume={copy}: ")
    assert why in told
    assert told.count("\n") == 1
    assert (copy / "finished.json").is_file()


def test_in_a_new_folder_it_is_whole(commands, copy, tmp_path):
    brought = {"history.jsonl", "tokenizer/source.json", "tokenizer/target.json", "checkpoints/best.ckpt",
               "checkpoints/last.ckpt", "finished.json", "metrics.json", "test.jsonl"}  # fmt: skip
    said = commands("train", f"resume={copy}", f"hydra.run.dir={tmp_path}/new", "trainer.max_epochs=2")
    commands("train", f"ckpt_path={copy}", f"hydra.run.dir={tmp_path}/other", "trainer.max_epochs=2")
    assert f"files: {tmp_path}/new" in said
    for name in ("new", "other"):
        folder = tmp_path / name
        assert all((folder / file).is_file() for file in brought)
        assert [point["step"] for point in points(folder)] == [1, 2, 2, 3, 4, 4]
        assert recorded(folder)["encoder"]["hidden_dim"] == 8
    assert len(points(copy)) == 3


def test_nothing_of_another_machine_is_needed(commands, copy):
    """Its paths are gone, and so is the place where the run was."""
    for name in ("overrides", "hydra"):
        file = copy / ".hydra" / f"{name}.yaml"
        found = OmegaConf.load(file)
        (found if name == "overrides" else found.hydra.overrides.task).append("paths.data=/nowhere/data")
        OmegaConf.save(found, file)
    commands("train", f"resume={copy}", "trainer.max_epochs=2")
    assert "nowhere" not in (copy / ".hydra" / "overrides.yaml").read_text("utf-8")


def test_other_data_are_refused(commands, copy):
    file = copy / "data.json"
    file.write_text(file.read_text("utf-8").replace('"fingerprint": "', '"fingerprint": "0'), "utf-8")
    told = commands("train", f"resume={copy}", "trainer.max_epochs=2", code=2)
    assert "is not what the run began with" in told
    data = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({key: data[key] for key in ("corpus", "fingerprint", "batches")}), "utf-8")
    commands("train", f"resume={copy}", "trainer.max_epochs=2")  # the grammar's source text has moved since
    assert json.loads(file.read_text("utf-8")) | {"fingerprint": ""} == data | {"fingerprint": ""}
    file.unlink()  # of an earlier version
    commands("train", f"resume={copy}", "trainer.max_epochs=2")


def test_a_folder_that_is_no_run(commands, copy, tmp_path):
    (copy / ".hydra" / "hydra.yaml").write_text("{", "utf-8")
    for folder, why in ((copy, "does not say how it was started"), (tmp_path / "copi", "did you mean copy?")):
        told = commands("train", f"resume={folder}", code=2)
        assert told.startswith(f"Error: resume={folder}: ")
        assert why in told


def test_weights_of_another_model_are_refused_before_data_are_read(commands, run, tmp_path, tiny):
    shutil.copy(run / "checkpoints" / "last.ckpt", tmp_path / "alone.ckpt")  # nothing is recorded beside it
    told = commands(
        "train", *tiny, "decoder.hidden_dim=32", "encoder.hidden_dim=16", f"ckpt_path={tmp_path}/alone.ckpt", code=2
    )
    assert "these weights are of another model" in told
    assert told.count("\n") == 1


@pytest.mark.long
def test_latest_is_the_run_that_was_at_work_last(commands, tiny, run):
    commands("train", *tiny, "attention=none", "callbacks.checkpoints=null")
    assert commands("train", "resume=latest", "trainer.max_epochs=2").startswith(
        f"goes on with {commands.root}/outputs/grammar/none/"
    )
    time.sleep(0.02)
    (run / ".hydra" / "config.yaml").touch()
    assert commands("train", "resume=latest").startswith(f"finished before: {run}")


@pytest.mark.long
def test_a_multirun_goes_on_with_its_own_settings(commands, tiny):
    commands("train", "-m", "seed=1,2", "attention=none", "sweep_name=own", *tiny)
    sweep = (commands.root / "sweeps" / "own" / "latest").resolve()
    jobs = by_seed(sweep)
    (jobs[2] / "finished.json").unlink()
    told = commands("train", "-m", "resume=latest")
    assert told.startswith(f"goes on with {sweep}\n")
    assert f"finished before: {jobs[1]}" in told
    assert f"goes on from its last checkpoint: {jobs[2]}" in told
    assert by_seed(sweep) == jobs

    told = commands("train", "-m", "resume=latest", "seed=3,4", "logger=csv")
    assert f"goes on with {sweep}\n  seed: 1,2 -> 1,2,3,4, jobs are added\n  logger=csv\n" in told
    assert set(by_seed(sweep)) == {1, 2, 3, 4}

    told = commands("train", "-m", "resume=latest", "trainer.max_epochs=7", code=2)
    assert "trainer.max_epochs=1, and with another one they would be other jobs" in told
    # a job of it, as a run of its own
    said = commands("train", f"resume={jobs[1]}", "trainer.max_epochs=2")
    assert f"files: {jobs[1]}" in said
    assert json.loads((jobs[1] / "metrics.json").read_text("utf-8"))["train/epochs"] == 2
    assert "choose one of its jobs" in commands("train", f"resume={sweep}", code=2)


@pytest.mark.parametrize(
    "value", ["", "a b", "it's", "back\\", "\\'", "${paths.run}/x", "a=b,c", None, True, 3, 1e-5, [1, "x y"]]
)  # fmt: skip
def test_a_value_on_the_command_line_is_read_back(value):
    (read,) = OverridesParser.create().parse_overrides([f"key={literal(value)}"])
    found = read.value()
    assert (str(found) if isinstance(value, str) else found) == (value if not isinstance(value, list) else [1, "x y"])


def test_a_path_for_a_shell():
    assert quoted("/a/b-c_1.2") == "/a/b-c_1.2"
    assert quoted("/a b") == "\"'/a b'\""
    assert quoted("/$x") == "\"'/\\$x'\""


def test_what_conf_has_changed_since_is_as_it_was_recorded():
    before, now = leaves({"a": {"b": 1, "gone": "x"}, "paths": {"root": "/"}}), leaves({"a": {"b": 2, "new": 3}})
    assert pinned(before, now) == ["++a.b=1", "++a.gone='x'"]


def test_of_another_option_the_option_is_told():
    before, after = {"logger.wandb.project": "x", "seed": 1}, {"logger.csv.dir": "y", "seed": 1}
    found = list(differing(before, after, {"logger": "wandb"}, {"logger": "csv"}))
    assert found == [Change("logger", "wandb", "csv")]
    assert not refusals(found, {"logger"})


def test_data_may_have_been_moved():
    moved = [Change("dataset.train", ["/old/a", "/old/b"], ["/new/a", "/new/b"]), Change("model.dropout", 0.1, 0.3)]
    assert not refusals(moved, set())
    assert "cannot be" in refusals([Change("dataset.train_size", 10, 20)], set())


def test_a_new_rate_holds_and_keeps_to_the_schedule():
    weight = torch.nn.Parameter(torch.zeros(2))

    def trained(lr, decay):
        optimizer = torch.optim.Adam([weight], lr=lr, weight_decay=decay)
        return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step)

    old, schedule = trained(0.1, 0.0)
    weight.grad = torch.ones(2)
    old.step()
    schedule.step()
    new, restored = trained(0.02, 0.01)
    new.load_state_dict(old.state_dict())
    restored.load_state_dict(schedule.state_dict())
    configure(new, 0.1, [restored])
    assert new.param_groups[0]["lr"] == pytest.approx(0.02 * 0.5)
    assert new.param_groups[0]["weight_decay"] == 0.01
    new.step()
    restored.step()
    assert new.param_groups[0]["lr"] == pytest.approx(0.02 * 0.25)


def test_a_run_with_the_records_of_wandb_goes_on(commands, tiny, tmp_path):
    """W&B leaves a link to a log of its own outside of the run."""
    words = [word for word in tiny if word != "logger=none"]
    home = {"HOME": str(tmp_path), "WANDB_CACHE_DIR": str(tmp_path / "cache")}
    folder = commands("train", *words, "logger.wandb.mode=offline", environment=home).split("files:")[1].strip()
    (log,) = Path(folder).glob("wandb/offline-run-*/logs")
    if not (log / "debug-core.log").is_symlink():  # other versions have it elsewhere
        (log / "debug-core.log").symlink_to(tmp_path / "service.log")
    said = commands("train", f"resume={folder}", "trainer.max_epochs=2", environment=home)
    assert f"files: {folder}" in said
    assert len(list(Path(folder).glob("wandb/offline-run-*"))) == 2
    (Path(folder) / "wandb" / "elsewhere").symlink_to(tmp_path)
    assert "a link that leads out of the run folder" in commands(
        "train", f"resume={folder}", "trainer.max_epochs=3", environment=home, code=2
    )
