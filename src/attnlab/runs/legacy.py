"""What earlier versions called otherwise in the folders that they left: one table, read by whoever reads a run."""

from typing import Any

# What a recorded configuration builds, since version 0.1.0.
TARGETS = {
    "attnlab.tasks.teacher_forcing.TeacherForcing": "attnlab.tasks.translation.teacher_forcing.TeacherForcing",
    "attnlab.callbacks.sample_translations.SampleTranslations": "attnlab.callbacks.samples.Samples",
}
CALLBACKS = {"sample_translations": "samples"}  # their names


def with_new_names(config: dict[str, Any]) -> dict[str, Any]:
    """A recorded configuration, plain, as this version would have recorded it."""
    callbacks = config.get("callbacks")
    if isinstance(callbacks, dict):
        config = {**config, "callbacks": {CALLBACKS.get(name, name): node for name, node in callbacks.items()}}
    return {key: _renamed(value) for key, value in config.items()}


def _renamed(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _renamed(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_renamed(value) for value in node]
    return TARGETS.get(node, node) if isinstance(node, str) else node
