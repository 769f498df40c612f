"""Macro F1: the mean over classes of 2 TP / (2 TP + FP + FN), those left out that neither occur nor are predicted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlab.errors import DataError
from attnlab.metrics.noted import classes_of, probabilities_of
from attnlab.metrics.quantity import Record, Summed

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


class MacroF1(Summed):
    """C is, class by class: predicted and right, predicted, right; classes as ``probabilities`` has them."""

    def count(self, record: Record) -> Sequence[float] | None:
        found, probabilities = classes_of(record), probabilities_of(record)
        if found is None or probabilities is None:
            return None
        (label, predicted), classes = found, list(probabilities)
        if label not in classes or predicted not in classes:
            raise DataError(f"macro F1: label {label!r} or prediction {predicted!r} is none of {', '.join(classes)}")
        counts = [0.0] * (3 * len(classes))
        counts[3 * classes.index(predicted) + 1] = counts[3 * classes.index(label) + 2] = 1.0
        counts[3 * classes.index(label)] = float(label == predicted)
        return counts

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        import numpy as np

        counts = sums.reshape(*sums.shape[:-1], -1, 3)
        both, either = counts[..., 0], counts[..., 1] + counts[..., 2]
        scores = np.where(either > 0, 2 * both / np.maximum(either, 1), 0.0)
        return scores.sum(-1) / (either > 0).sum(-1)


MACRO_F1 = MacroF1(name="macro_f1", title="macro F1", better="higher", digits=4, lowest=0, highest=1)
