"""BLEU (Papineni et al. 2002), as sacreBLEU (Post 2018) counts and closes it."""

from typing import TYPE_CHECKING

from attnlab.metrics.text_scores import TextScore

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

ORDERS = 4  #: of n-grams


class Bleu(TextScore):
    """C is: hypothesis length, reference length, matches of the orders 1 to 4, totals of the orders 1 to 4."""

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        """With exponential smoothing (Chen and Cherry 2014, method 3)."""
        import numpy as np

        lengths, matches, totals = sums[..., :2], sums[..., 2 : 2 + ORDERS], sums[..., 2 + ORDERS :]
        halvings = np.cumsum((matches == 0) & (totals > 0), axis=-1)  # of the count 1 that takes the place of none
        with np.errstate(divide="ignore", invalid="ignore"):
            precisions = np.where(matches == 0, 0.5**halvings, matches) / totals
            product = np.exp(np.log(precisions).mean(-1))
            score = 100 * product * np.exp(np.minimum(0.0, 1 - lengths[..., 1] / lengths[..., 0]))
        # Nothing right is 0; so is an order that no sentence is long enough for.
        return np.where((matches.sum(-1) == 0) | (totals == 0).any(-1), 0.0, score)

    def item_scores(self, rows: "Float[np.ndarray, 'N C']") -> "Float[np.ndarray, ' N']":
        """Of single sentences: 1 is added to matches and totals of the orders 2 to 4 (Lin and Och 2004)."""
        import numpy as np

        lengths, matches, totals = rows[..., :2], rows[..., 2 : 2 + ORDERS], rows[..., 2 + ORDERS :]
        one = np.array([0.0, 1.0, 1.0, 1.0])
        with np.errstate(divide="ignore", invalid="ignore"):
            product = np.exp(np.log((matches + one) / (totals + one)).mean(-1))
            score = 100 * product * np.exp(np.minimum(0.0, 1 - lengths[..., 1] / lengths[..., 0]))
        return np.where(matches[..., 0] == 0, 0.0, score)


BLEU = Bleu(name="bleu", title="BLEU", better="higher", columns=2 + 2 * ORDERS, lowest=0, highest=100)
