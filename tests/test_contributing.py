"""What the papers for contributors name is there, and does what they say."""

import tomllib

import pytest
import yaml


@pytest.fixture(scope="module")
def tasks(project_root):
    with (project_root / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["tool"]["poe"]["tasks"]


def test_every_task_is_told_and_there(project_root, tasks):
    told = (project_root / "CONTRIBUTING.md").read_text("utf-8")
    assert {name for name in tasks if f"`poe {name}`" in told} == set(tasks)


def test_public_ci_runs_what_every_ci_runs_with_every_python(project_root):
    flow = yaml.safe_load((project_root / ".github" / "workflows" / "tests.yml").read_text("utf-8"))
    job = flow["jobs"]["tests"]
    assert job["steps"][-1]["run"] == ".ci/run"
    with (project_root / "pyproject.toml").open("rb") as file:
        asked = tomllib.load(file)["project"]["requires-python"]
    pythons = job["strategy"]["matrix"]["python"]
    assert asked == f">={pythons[0]},<3.{int(pythons[-1].split('.')[1]) + 1}"


def test_public_ci_runs_the_long_tests_and_coverage_too(project_root):
    flow = yaml.safe_load((project_root / ".github" / "workflows" / "tests.yml").read_text("utf-8"))
    steps = [step["run"] for step in flow["jobs"]["everything"]["steps"] if "run" in step]
    assert {".venv/bin/poe everything", ".venv/bin/poe coverage"} <= set(steps)
    assert "schedule" in flow[True]  # YAML 1.1 reads the word on as true


def test_hooks_and_forms_can_be_read(project_root):
    hooks = yaml.safe_load((project_root / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}  # the versions of the environment, and no network
    for path in (project_root / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text("utf-8"))
        assert form.get("body") or path.stem == "config"


def test_the_command_of_ci_is_that_of_the_readme(project_root):
    run = (project_root / ".ci" / "run").read_text("utf-8").strip().splitlines()[-1]
    assert f"    {run}" in (project_root / "README.md").read_text("utf-8").splitlines()
