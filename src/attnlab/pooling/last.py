r"""Control: the encoder's last state alone. $$z = [\overrightarrow{h}_S; \overleftarrow{h}_1]$$"""

from attnlab.layers.dims import SourceDims
from attnlab.pooling.base import Pooled, Pooling, check_texts
from attnlab.types import Encoded


class Last(Pooling):
    """The summary that an encoder-decoder without attention hands on."""

    def __init__(self, source: SourceDims) -> None:
        super().__init__(source)
        self.output_dim = source.summary

    def forward(self, encoded: Encoded) -> Pooled:
        check_texts(encoded)
        return Pooled(encoded.summary)
