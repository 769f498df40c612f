r"""How dark the words of a document are: $\sqrt{p_s}\, p_w$, Yang et al. 2016, figure 5."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def shares(
    weights: Float[np.ndarray, " S"], sentences: Sequence[int], above: Float[np.ndarray, " N"] | None
) -> Float[np.ndarray, " S"]:
    """From 0 to 1, which is the darkest word's.

    Args:
        weights: of the words, of each sentence by itself.
        sentences: how many words each has.
        above: weights of the sentences; None where they are not looked at.
    """
    values = weights if above is None else weights * np.sqrt(np.repeat(above, sentences))
    return values / values.max() if values.max() > 0 else values
