"""Which classes are taken for which: counts as a table, shares of each class as a figure."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int
from torchmetrics.functional.classification import multiclass_confusion_matrix

from attnlab.atomic import replacing
from attnlab.tasks.records import Record
from attnlab.viz.heatmap import heatmap, save


@runtime_checkable
class Classed(Record, Protocol):
    """A record of an item that has a class, and was given one."""

    @property
    def label(self) -> str: ...
    @property
    def predicted(self) -> str: ...


MOST_DRAWN = 100  #: classes; a picture of 300 takes half a minute


def confusion(classes: Sequence[str], records: Sequence[Classed]) -> Int[np.ndarray, "C C"]:
    """A row a class that items have, a column a class that they were given."""
    numbers = {name: number for number, name in enumerate(classes)}
    label, predicted = (
        torch.tensor([numbers[getattr(record, side)] for record in records]) for side in ("label", "predicted")
    )
    return multiclass_confusion_matrix(predicted, label, len(classes)).numpy()


def save_confusion(
    folder: Path, split: str, classes: Sequence[str], records: Sequence[Classed], items: str = "texts"
) -> Path | None:
    """Write ``confusion_<split>.csv`` and ``.png``; give the latter, None where classes are too many to be drawn."""
    counts = confusion(classes, records)
    with (
        replacing(folder / f"confusion_{split}.csv") as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["label / predicted", *classes])
        writer.writerows([name, *row] for name, row in zip(classes, counts.tolist(), strict=True))
    if len(classes) > MOST_DRAWN:
        return None
    picture = folder / f"confusion_{split}.png"
    with replacing(picture) as temporary:
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        title = f"{split}: predicted across, of the {items} of each class down"
        save(heatmap(shares, classes, classes, title), temporary)
    return picture
