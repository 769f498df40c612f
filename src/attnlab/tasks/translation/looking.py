"""What a translation model looks at while it decodes given translations."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from attnlab.data.corpus import Alignment, Pair
from attnlab.data.tokenizers.base import Tokenizer
from attnlab.metrics.alignment import Link, Sides, Span, find_spans, piece_links
from attnlab.models.seq2seq import Seq2Seq
from attnlab.runs.writing import Map
from attnlab.tasks.prediction import Seen, plain
from attnlab.types import BOS, EOS, PAD, SPECIALS, Batch


@torch.no_grad()
def seen(model: Seq2Seq, batch: Batch, source: Tokenizer, target: Tokenizer, selves: bool = False) -> list[Seen]:
    """What every word of the targets looks at when they are decoded by force; nothing where there are no weights.

    Args:
        model: in evaluation mode.
        batch: of sentence pairs.
        source: the tokenizer of what is looked at.
        target: that of what looks.
        selves: besides, what the layers of a Transformer look at in their own sentence.
    """
    weights: Tensor | None = model(batch).weights
    if weights is None:
        return []
    heads = model.weights_by_head(batch)
    own = model.self_weights(batch) if selves else {}
    found = []
    for row, (number, source_ids, target_ids) in enumerate(numbered(batch)):
        words, said = source.tokens(source_ids), target.tokens(target_ids)
        cells = (..., slice(len(said) + 1), slice(len(words)))
        labels = {"source": words, "target": [SPECIALS[BOS], *said]}
        item = Map(
            number=number,
            weights=plain(weights[row][cells]),
            columns=words,
            rows=[*said, SPECIALS[EOS]],
            heads=None if heads is None else plain(heads[row][cells]),
        )
        squares = {side: plain(each[row][..., : len(labels[side]), : len(labels[side])]) for side, each in own.items()}
        found.append(Seen(item, squares, {side: labels[side] for side in squares}))
    return found


def gold_links(
    source: Tokenizer, target: Tokenizer, text: str, translation: str, alignment: Alignment
) -> tuple[list[Link], list[Link]]:
    """Gold links of words as links of pieces (column, row): sure ones, and those that are only possible.

    Raises:
        DataError: the words of the alignment are not those of the texts.
    """
    pieces, words = places(source, target, text, translation, alignment)
    sure, possible = (piece_links(links, pieces, words) for links in (alignment.sure, alignment.possible))
    return sure, sorted(set(possible) - set(sure))


def places(
    source: Tokenizer, target: Tokenizer, text: str, translation: str, alignment: Alignment
) -> tuple[Sides, Sides]:
    """Where the pieces of both texts stand in them, and where the words of their alignment do.

    Raises:
        DataError: the words of the alignment are not those of the texts.
    """
    words = find_spans(alignment.source_words, text), find_spans(alignment.target_words, translation)
    return (spans(source, text), spans(target, translation)), words


def spans(tokenizer: Tokenizer, text: str) -> list[Span]:
    """Where the pieces of a text stand in it."""
    return [(token.start, token.end) for token in tokenizer.tokenize(text)]


def with_gold(item: Map, pair: Pair, source: Tokenizer, target: Tokenizer) -> Map:
    """With the gold links of a pair, where it has any and is what the map is of."""
    if pair.alignment is None or target.tokens(target.encode(pair.target)) != item.rows[:-1]:
        return item
    return item._replace(gold=gold_links(source, target, pair.source, pair.target, pair.alignment))


def numbered(batch: Batch) -> Iterator[tuple[int, list[int], list[int]]]:
    """Number, source ids and target ids of each sentence, without padding, BOS and EOS."""
    sources, targets = batch.source_mask.sum(1).tolist(), batch.target_mask.sum(1).tolist()
    rows = zip(batch.index.tolist(), batch.source.tolist(), batch.target.tolist(), sources, targets, strict=True)
    for number, source, target, source_length, target_length in rows:
        yield number, source[:source_length], target[1:target_length]


def batch_of(pairs: Sequence[tuple[Sequence[int], Sequence[int]]], device: torch.device) -> Batch:
    """A batch of pairs, from ids without BOS and EOS, numbered as they come."""
    source = pad_sequence([torch.tensor(list(pair[0])) for pair in pairs], batch_first=True, padding_value=PAD)
    target = pad_sequence([torch.tensor([BOS, *pair[1], EOS]) for pair in pairs], batch_first=True, padding_value=PAD)
    source_lengths, target_lengths = (torch.tensor([len(pair[side]) for pair in pairs]) for side in (0, 1))
    source_mask = torch.arange(source.size(1)) < source_lengths[:, None]
    target_mask = torch.arange(target.size(1) - 1) < target_lengths[:, None] + 1
    tokens = target_mask.flatten().nonzero().squeeze(1)
    parts = source, source_mask, target, target_mask, tokens, torch.arange(len(pairs))
    return Batch(*(part.to(device) for part in parts))
