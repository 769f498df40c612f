"""What a search does with the scores of all words, by search.c; None where that is not to be used."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from attnlab.kernels.native.library import code, plain

MOST = 64  #: of those that are kept, which are few: each is put in its place among them


def best_of(
    scores: Float[Tensor, "N V"], k: int, before: Float[Tensor, "B K"] | None
) -> tuple[Float[Tensor, "B k"], Int[Tensor, "B k"]] | None:
    """See ``search.best.best``."""
    given = (scores,) if before is None else (scores, before)
    if not 0 < k <= MOST or not plain(*given) or (known := code()) is None:
        return None
    each = 1 if before is None else before.size(1)
    sentences, size = scores.size(0) // each, scores.size(1)
    values = scores.new_empty(sentences, min(k, each * size))
    places = torch.empty(values.shape, dtype=torch.long, device="cpu")
    ahead = None if before is None else before.data_ptr()
    known.attnlab_best(
        scores.data_ptr(), ahead, sentences, each, size, values.size(1), values.data_ptr(), places.data_ptr()
    )
    return values, places


def log_softmax_(logits: Float[Tensor, "N V"]) -> Float[Tensor, "N V"] | None:
    """ln softmax in the place of the logits; with one thread, as torch would use all."""
    if torch.get_num_threads() > 1 or not plain(logits) or (known := code()) is None:
        return None
    known.attnlab_log_softmax(logits.data_ptr(), *logits.shape)
    return logits
