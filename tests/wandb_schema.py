"""What W&B's client sends, held against what the client itself says that it is: the types which its operations declare,
the models of input types that it ships, and those of reports and workspaces.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, get_args

from graphql import (
    GraphQLError,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeNode,
    parse,
)
from pydantic import BaseModel, ValidationError


def is_json(value: Any) -> bool:
    try:
        json.loads(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str)


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


SCALARS: Mapping[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "ID": lambda value: isinstance(value, str) or is_whole(value),
    "Int": lambda value: is_whole(value) and -(2**31) <= value < 2**31,
    "Int64": is_whole,
    "Float": lambda value: isinstance(value, float) or is_whole(value),
    "Boolean": lambda value: isinstance(value, bool),
    "JSONString": is_json,
    "JSON": is_json,
    "Duration": is_whole,
}  #: GraphQL's own (specification of October 2021, 3.5), and those of W&B's that its Python models tell as these
GIVEN: Mapping[str, Mapping[str, type]] = {
    "CreateArtifactInput": {
        "entityName": str, "projectName": str, "runName": object, "artifactTypeName": str, "digest": str,
        "artifactCollectionName": str, "artifactCollectionNames": object, "digestAlgorithm": str, "aliases": list,
        "labels": object, "description": object, "metadata": object, "clientID": str, "sequenceClientID": str,
        "enableDigestDeduplication": bool, "historyStep": object, "ttlDurationSeconds": object, "distributedID": object,
        "storageRegion": object, "clientMutationId": object,
    },
    "UseArtifactInput": {
        "entityName": str, "projectName": str, "runName": str, "artifactID": str, "usedAs": object,
        "clientMutationId": object,
    },
    "CreateArtifactFilesInput": {
        "artifactFiles": list, "storageLayout": str, "cloudRegionID": object, "clientMutationId": object,
    },
}  # fmt: skip #: of input types that it ships no models of: their fields; object: of a type of its own, or null
ENUMS = {"ArtifactManifestType": ("FULL", "INCREMENTAL", "PATCH")}
MODELS = ("wandb.apis._generated", "wandb.sdk.artifacts._generated", "wandb.automations._generated")


def operation_of(query: str) -> OperationDefinitionNode:
    """The one operation of a request."""
    (found,) = (node for node in parse(query).definitions if isinstance(node, OperationDefinitionNode))
    return found


def faults(query: str, variables: Mapping[str, Any], unknown: set[str]) -> Iterator[str]:
    """What a server would refuse: a variable that is not there, or of another type; it leaves others alone.

    Args:
        query: the text of the operation.
        variables: that come with it.
        unknown: the types that nothing here describes are added to it.
    """
    try:
        operation = operation_of(query)
    except (GraphQLError, ValueError) as error:
        yield f"no operation: {error}"
        return
    name = operation.name.value if operation.name else ""
    for node in operation.variable_definitions or ():
        key = node.variable.name.value
        if key in variables or node.default_value is None:
            yield from (f"{name}: {key}{told}" for told in mismatches(node.type, variables.get(key), unknown))


def mismatches(kind: TypeNode, value: Any, unknown: set[str]) -> Iterator[str]:
    """Where a value is not of a type."""
    if isinstance(kind, NonNullTypeNode):
        if value is None:
            yield " is not there"
        else:
            yield from mismatches(kind.type, value, unknown)
    elif value is None:
        return
    elif isinstance(kind, ListTypeNode):
        if not isinstance(value, list):
            yield f" is no list: {value!r}"
            return
        for number, item in enumerate(value):
            yield from (f"[{number}]{told}" for told in mismatches(kind.type, item, unknown))
    elif isinstance(kind, NamedTypeNode):
        yield from of_named(kind.name.value, value, unknown)


def of_named(name: str, value: Any, unknown: set[str]) -> Iterator[str]:
    if name in SCALARS:
        if not SCALARS[name](value):
            yield f" is no {name}: {value!r}"
    elif (model := model_of(name)) is not None:
        try:
            model.model_validate(value, extra="forbid")
        except ValidationError as error:
            yield f" is no {name}: {error}"
    elif name in GIVEN:
        yield from (f" has a {key} that {name} has not" for key in value if key not in GIVEN[name])
        for key, of in GIVEN[name].items():
            if of is not object and not isinstance(value.get(key), of):
                yield f".{key} is no {of.__name__}: {value.get(key)!r}"
    elif name in ENUMS:
        if value not in ENUMS[name]:
            yield f" is no {name}: {value!r}"
    else:
        unknown.add(name)


def model_of(name: str) -> type[BaseModel] | None:
    found = (getattr(import_module(module), name, None) for module in MODELS)
    return next((model for model in found if isinstance(model, type) and issubclass(model, BaseModel)), None)


def faults_of_view(told: Mapping[str, Any]) -> Iterator[str]:
    """Of a report, or of a workspace: what the models that write it would not read."""
    from wandb_workspaces.reports.v2 import internal as reports
    from wandb_workspaces.workspaces import internal as workspaces

    model = workspaces.WorkspaceViewspec if told["type"] == "project-view" else reports.Spec
    try:
        read = model.model_validate_json(told["spec"])
    except ValidationError as error:
        yield f"a {told['type']}: {error}"
        return
    yield from (f"a {told['type']}: nobody draws {view}" for view in unknown_panels(read))
    filters = re.findall(r'"op":\s*"([^"]+)"', told["spec"])
    yield from (f"a {told['type']}: no filter has {op}" for op in sorted({*filters} - {*get_args(reports.Ops)}))
    lost = told_and_not(json.loads(told["spec"]), json.loads(read.model_dump_json(by_alias=True)))
    yield from (f"a {told['type']}: nothing reads {path}" for path in lost)


def unknown_panels(read: Any) -> Iterator[str]:
    """The kinds of panels that W&B's package reads and does not know."""
    if type(read).__name__ == "UnknownPanel":
        yield str((read.model_extra or {}).get("viewType"))
    values = read.values() if isinstance(read, dict) else read if isinstance(read, list | tuple) else ()
    for value in vars(read).values() if isinstance(read, BaseModel) else values:
        yield from unknown_panels(value)


def faults_of_stream(told: Mapping[str, Any]) -> Iterator[str]:
    """Of a part of a file that grows: lines behind a place, of JSON where that is what the file has."""
    for name, part in told.get("files", {}).items():
        if not is_whole(part.get("offset")) or not all(isinstance(line, str) for line in part.get("content", [0])):
            yield f"{name}: no lines behind a place"
        elif name in ("wandb-history.jsonl", "wandb-summary.json", "wandb-events.jsonl"):
            yield from (f"{name}: no JSON: {line!r}" for line in part["content"] if not is_json(line))
    if told.get("complete") and not is_whole(told.get("exitcode")):
        yield "the end of a run without its exit code"


def told_and_not(sent: Any, read: Any, path: str = "") -> Iterator[str]:
    """What was sent, and is not in what was read of it."""
    if isinstance(sent, dict) and isinstance(read, dict):
        for key, value in sent.items():
            yield from told_and_not(value, read[key], f"{path}.{key}") if key in read else (f"{path}.{key}",)
    elif isinstance(sent, list) and isinstance(read, list) and len(sent) == len(read):
        for number, (one, other) in enumerate(zip(sent, read, strict=True)):
            yield from told_and_not(one, other, f"{path}[{number}]")
    elif sent != read:
        yield f"{path} = {sent!r}, but {read!r}"
