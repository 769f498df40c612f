"""Artifacts of W&B: what goes into a run and what comes out of it."""

from typing import Any

from attnlab.callbacks.archives import Kept
from attnlab.callbacks.wandb_names import artifact_name


def artifact(kept: Kept, run: str) -> Any:
    """The artifact: its version is made by the content alone, so that a run on another machine is given the same one.

    Args:
        kept: what is in it.
        run: the id of the run, for what is named after it.
    """
    import wandb

    name = artifact_name(kept.name or f"{kept.kind}-{run}")
    made = wandb.Artifact(name, type=kept.kind, metadata=dict(kept.about))
    for key, path in kept.files.items():
        if kept.uploaded:
            # A model is not written again, and is large: it is no use to have it twice until it is uploaded.
            made.add_file(str(path.resolve()), name=key, policy="immutable" if kept.kind == "model" else "mutable")
        else:
            made.add_reference(path.resolve().as_uri(), name=key)
    for key, text in kept.texts.items():
        with made.new_file(key, encoding="utf-8") as file:
            file.write(text)
    return made
