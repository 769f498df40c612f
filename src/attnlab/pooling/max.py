r"""Control: the largest value of each feature. $$z_d = \max_j h_{jd}$$

Collobert and Weston 2008; Conneau et al. 2017 for a BiLSTM.
"""

from attnlab.pooling.base import Pooled, Pooling, check_texts
from attnlab.types import Encoded


class Max(Pooling):
    """The maximum over the real tokens, feature by feature."""

    def forward(self, encoded: Encoded) -> Pooled:
        check_texts(encoded)
        return Pooled(encoded.states.masked_fill(~encoded.mask.unsqueeze(-1), float("-inf")).amax(1))
