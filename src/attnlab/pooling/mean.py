r"""Control: the mean annotation. $$z = \frac{1}{S} \sum_j h_j$$"""

from attnlab.pooling.base import Pooled, Pooling, check_texts
from attnlab.types import Encoded


class Mean(Pooling):
    """The mean over the real tokens."""

    def forward(self, encoded: Encoded) -> Pooled:
        check_texts(encoded)
        mask = encoded.mask.unsqueeze(-1)
        return Pooled((encoded.states * mask).sum(1) / mask.sum(1))
