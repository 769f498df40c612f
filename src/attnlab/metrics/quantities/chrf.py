"""chrF2 (Popović 2015), as sacreBLEU counts and closes it."""

from typing import TYPE_CHECKING

from attnlab.metrics.text_scores import TextScore

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

CHARACTERS = 6  #: orders of character n-grams
BETA = 2  #: weight of recall


class Chrf(TextScore):
    """C is hypothesis n-grams, reference n-grams and matches, order by order."""

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        import numpy as np

        counts = sums.reshape(*sums.shape[:-1], CHARACTERS, 3)
        hypothesis, reference, matches = counts[..., 0], counts[..., 1], counts[..., 2]
        used = (hypothesis > 0) & (reference > 0)
        orders = used.sum(-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = np.where(used, matches / hypothesis, 0.0).sum(-1) / orders
            recall = np.where(used, matches / reference, 0.0).sum(-1) / orders
            score = (1 + BETA**2) * precision * recall / (BETA**2 * precision + recall)
        return 100 * np.nan_to_num(score)


CHRF = Chrf(name="chrf", title="chrF", better="higher", columns=3 * CHARACTERS, lowest=0, highest=100)
