"""Translation edit rate (Snover et al. 2006), as sacreBLEU counts and closes it."""

from typing import TYPE_CHECKING

from attnlab.metrics.text_scores import TextScore

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float


class Ter(TextScore):
    """C is edits, reference words."""

    def close(self, sums: "Float[np.ndarray, '*R C']") -> "Float[np.ndarray, '*R']":
        import numpy as np

        edits, words = sums[..., 0], sums[..., 1]
        return 100 * np.where(words > 0, edits / np.maximum(words, 1), edits > 0)


# It takes longer than the search itself: half a minute for 1,000 long sentences.
TER = Ter(name="ter", title="TER", better="lower", columns=2, costly=True, lowest=0)
