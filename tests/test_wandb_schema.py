"""The checker of what is sent to W&B finds what is wrong."""

import json

import pytest
from wandb_schema import faults, faults_of_stream, faults_of_view

QUERY = """mutation Tell($name: String!, $tags: [String!], $config: JSONString, $step: Int, $input: UseArtifactInput) {
  tell(name: $name, tags: $tags, config: $config, step: $step, input: $input) { id }
}"""
USED = {"entityName": "us", "projectName": "p", "runName": "r", "artifactID": "1"}


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"name": "a", "tags": ["b"], "config": "{}", "step": 3, "input": USED}, []),
        ({"name": "a", "tags": None, "else": 1}, []),  # a server leaves alone what is not declared
        ({}, ["Tell: name is not there"]),
        ({"name": 3}, ["Tell: name is no String: 3"]),
        ({"name": "a", "tags": "b"}, ["Tell: tags is no list: 'b'"]),
        ({"name": "a", "tags": ["b", None]}, ["Tell: tags[1] is not there"]),
        ({"name": "a", "config": "{"}, ["Tell: config is no JSONString: '{'"]),
        ({"name": "a", "step": 1.5}, ["Tell: step is no Int: 1.5"]),
        ({"name": "a", "step": True}, ["Tell: step is no Int: True"]),
        ({"name": "a", "input": USED | {"by": 1}}, ["Tell: input has a by that UseArtifactInput has not"]),
        ({"name": "a", "input": USED | {"runName": None}}, ["Tell: input.runName is no str: None"]),
    ],
)
def test_requests(variables, told):
    assert list(faults(QUERY, variables, set())) == told


def test_input_types_are_those_of_its_package():
    query = "mutation Name($input: AddAliasesInput!) { add(input: $input) { ok } }"
    (told,) = faults(query, {"input": {"artifactID": 4}}, set())
    assert "is no AddAliasesInput" in told
    unknown = set()
    assert list(faults("query Any($x: Nobodys) { any(x: $x) }", {"x": 1}, unknown)) == []
    assert unknown == {"Nobodys"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_views():
    from wandb_workspaces import workspaces
    from wandb_workspaces.reports import v2

    panels = [v2.LinePlot(x="step", y=["loss"])]
    settings = workspaces.RunsetSettings(filters=[workspaces.Metric("JobType").notin(["evaluate"])])
    section = workspaces.Section(name="Curves", panels=panels)
    made = workspaces.Workspace(entity="us", project="p", name="n", sections=[section], runset_settings=settings)
    text = made._to_model().spec.model_dump_json(by_alias=True, exclude_none=True)

    def told(changed):
        return list(faults_of_view({"type": "project-view", "spec": changed}))

    assert told(text) == []
    assert told(text.replace('"NIN"', '"BLAH"')) == ["a project-view: no filter has BLAH"]
    assert "a project-view: nobody draws Nonsense" in told(text.replace('"Run History Line Plot"', '"Nonsense"'))
    assert told(text.replace('"libraryExpanded"', '"libaryExpanded"'))
    assert told("{}")


def test_lines_of_files():
    def told(content, **more):
        return list(faults_of_stream({"files": {"wandb-history.jsonl": {"offset": 0, "content": content}}, **more}))

    assert told([json.dumps({"loss": 1})]) == []
    assert told(["loss"]) == ["wandb-history.jsonl: no JSON: 'loss'"]
    assert told([{"loss": 1}]) == ["wandb-history.jsonl: no lines behind a place"]
    assert told([], complete=True) == ["the end of a run without its exit code"]
