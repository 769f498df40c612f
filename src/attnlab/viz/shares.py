r"""How dark the words of a document are: $\sqrt{p_s}\, p_w$, Yang et al. 2016, figure 5."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def shares(
    weights: Float[np.ndarray, " S"], sentences: Sequence[int], above: Float[np.ndarray, " N"] | None
) -> Float[np.ndarray, " S"]:
    """The share of the darkest word, which has 1, or of signed weights -1.

    Args:
        weights: of the words, of each sentence by itself.
        sentences: how many words each has.
        above: weights of the sentences; None where they are not looked at.
    """
    upper = 1.0 if above is None else np.repeat(np.sign(above) * np.sqrt(np.abs(above)), sentences)
    values = weights * upper
    return values / (np.abs(values).max() or 1.0)
