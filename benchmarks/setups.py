"""The models whose training is timed, and their batches."""

import multi30k
import ours

from attnlab.models.seq2seq import Seq2Seq
from attnlab.types import Batch

PLACES, SCORES = ("input_feeding", "early"), ("general", "additive")
RECURRENT = {f"{score}_{place}": (score, place) for place in PLACES for score in SCORES}
TRANSFORMERS = {
    "transformer_small": ours.Size(layers=4, width=128, feedforward=256, heads=4),
    "transformer_base": ours.Size(layers=6, width=512, feedforward=2048, heads=8),
}
SETUPS = (*RECURRENT, *TRANSFORMERS)
TOKENS = 2048  #: of a Transformer's batch


def batches_of(name: str, number: int) -> list[Batch]:
    """So many sentences for recurrent models, so many tokens for Transformers, as each is trained."""
    return multi30k.training_batches(number, tokens=TOKENS if name in TRANSFORMERS else None)


def built(name: str) -> Seq2Seq:
    """attnlab's model."""
    if name in TRANSFORMERS:
        return ours.transformer(TRANSFORMERS[name], multi30k.VOCABULARY)
    return ours.build(*RECURRENT[name], multi30k.VOCABULARY)
