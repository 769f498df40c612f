"""What a sentence and the sizes of a mechanism have to be."""

from jaxtyping import Bool
from torch import Tensor

from attnlab.private.torch import assert_async, is_stacked
from attnlab.types import ConfigError


def check_rows(mask: Bool[Tensor, "B S"]) -> None:
    real = mask.any(1).all()
    if is_stacked(real):  # of several networks: what is true of each cannot be asked
        return
    if real.is_cuda:
        assert_async(real, "attention over a sentence with no real token")
    elif not real:
        rows = (~mask.any(1)).nonzero().flatten().tolist()
        raise ValueError(f"attention over a sentence with no real token: rows {rows} of the mask are all False")


def require_equal_sizes(name: str, query_dim: int, key_dim: int) -> None:
    if query_dim != key_dim:
        raise ConfigError(
            f"attention={name} compares queries and keys as they are, so their sizes must agree: the decoder's state "
            f"has {query_dim} and the encoder's annotations {key_dim}. "
            f"Set decoder.hidden_dim={key_dim}, or take attention=luong_general"
        )
