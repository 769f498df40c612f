"""AER against published examples, word links against hand computations and a scalar loop."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from attnlab.metrics.alignment import AlignmentErrorRate, find_spans, word_links
from attnlab.types import DataError

Links = set[tuple[int, int]]


def aer(*sentences: tuple[Links, Links, Links]) -> float:
    metric = AlignmentErrorRate()
    for links, sure, possible in sentences:
        metric.update(links, sure, possible)
    return float(metric.compute())


# Fraser's note on Och and Ney 2003 (cis.lmu.de/~fraser/pubs/AER.txt), letters numbered A=0, B=1, …
FRASER_SURE = {(0, 0), (1, 1), (24, 24), (25, 25)}
FRASER_POSSIBLE = FRASER_SURE | {(16, 16), (17, 17)}


def test_fraser_example_one() -> None:
    assert aer(({(0, 0), (1, 1), (3, 3), (4, 4)}, FRASER_SURE, FRASER_POSSIBLE)) == 1 - (2 + 2) / 8


def test_fraser_example_two() -> None:
    assert aer(({(0, 0), (16, 16), (17, 17), (3, 3)}, FRASER_SURE, FRASER_POSSIBLE)) == 1 - (3 + 1) / (4 + 4)


def test_nltk_example() -> None:
    """Take the example in the documentation of nltk.translate.metrics.alignment_error_rate."""
    sure = {(0, 0), (1, 1), (2, 2)}
    assert aer(({(0, 0), (1, 2), (2, 1)}, sure, sure)) == pytest.approx(0.6666666666666667, rel=1e-15)


def test_sums_over_the_corpus_not_means_of_sentences() -> None:
    first = ({(0, 0)}, {(0, 0)}, {(0, 0)})
    second = ({(0, 1), (1, 1), (2, 2)}, {(2, 2)}, {(2, 2), (1, 1)})
    # |A∩S| = 1 + 1, |A∩P| = 1 + 2, |A| = 1 + 3, |S| = 1 + 1
    assert aer(first, second) == pytest.approx(1 - 5 / 6, rel=1e-15)


def test_sure_counts_as_possible() -> None:
    links = {(0, 0), (1, 1)}
    assert aer((links, {(0, 0)}, {(1, 1)})) == aer((links, {(0, 0)}, {(0, 0), (1, 1)})) == 0.0


def test_repeated_links_count_once() -> None:
    metric = AlignmentErrorRate()
    metric.update([(0, 0), (0, 0)], [(0, 0), (0, 0)], [(0, 0)])
    assert float(metric.compute()) == 0.0


def test_no_links_at_all() -> None:
    assert aer((set(), {(0, 0)}, {(0, 0)})) == 1.0
    with pytest.raises(DataError, match="AER of nothing"):
        aer((set(), set(), {(0, 0)}))


def test_find_spans_of_repeated_words() -> None:
    text = "the dog the cat saw bit the man"
    words = text.split()
    assert find_spans(words, text) == [
        (0, 3),
        (4, 7),
        (8, 11),
        (12, 15),
        (16, 19),
        (20, 23),
        (24, 27),
        (28, 31),
    ]
    assert [text[start:end] for start, end in find_spans(words, text)] == words


def test_find_spans_where_nothing_separates_words() -> None:
    assert find_spans(["don", "'t", "go", "."], "don't go.") == [(0, 3), (3, 5), (6, 8), (8, 9)]
    assert find_spans(["彼", "は", "彼", "です", "。"], "彼は彼です。") == [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 5),
        (5, 6),
    ]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["the", "dog", "the"], "the dog runs"),  # one "the" only
        (["b", "a"], "a b"),  # not in order
        (["Der"], "der Hund"),  # case
        (["a", ""], "a b"),  # an empty word
        (["é"], "e\u0301"),  # normal form
    ],
)
def test_words_not_found(words: list[str], text: str) -> None:
    with pytest.raises(DataError, match="is not in"):
        find_spans(words, text)


def spans(text: str) -> list[tuple[int, int]]:
    return find_spans(text.split(), text)


def test_links_of_whole_words() -> None:
    weights = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.2, 0.5, 0.3]])
    words = spans("a b c")
    assert word_links(weights, words, words, words, words) == {(0, 0), (2, 1), (1, 2)}


def test_pieces_of_a_source_word_add_up() -> None:
    # "Haustür auf": pieces Haus|tür|auf. 0.3 + 0.3 beats 0.4; the single largest weight would not.
    weights = torch.tensor([[0.3, 0.3, 0.4]])
    assert word_links(weights, [(0, 4), (4, 7), (8, 11)], [(0, 4)], [(0, 7), (8, 11)], [(0, 4)]) == {(0, 0)}


def test_pieces_of_a_target_word_are_averaged() -> None:
    # the one target word is read by two rows: means 0.45 and 0.55; the first row alone would say otherwise
    weights = torch.tensor([[0.6, 0.4], [0.3, 0.7]])
    assert word_links(weights, [(0, 1), (2, 3)], [(0, 3), (3, 6)], [(0, 1), (2, 3)], [(0, 6)]) == {(1, 0)}


def test_piece_over_two_words_is_shared_by_characters() -> None:
    # the piece "don't" covers the gold words "do" (2 characters) and "n't" (3): 0.8 splits into 0.32 and 0.48
    weights = torch.tensor([[0.8, 0.2]])
    gold = find_spans(["do", "n't", "go"], "don't go")
    assert word_links(weights, [(0, 5), (6, 8)], [(0, 1)], gold, [(0, 1)]) == {(1, 0)}
    # with a piece of its own besides, "do" gets 0.26 + 0.74 * 2/5 = 0.556
    weights = torch.tensor([[0.26, 0.74]])
    assert word_links(weights, [(0, 2), (0, 5)], [(0, 1)], gold, [(0, 1)]) == {(0, 0)}


def test_boundary_marks_count_nowhere() -> None:
    # pieces: "▁" (zero wide), "Hund", "▁" (the blank), "bellt"; most weight lies on the marks
    source = [(0, 0), (0, 4), (4, 5), (5, 10)]
    weights = torch.tensor([[0.1, 0.1, 0.7, 0.1], [0.5, 0.1, 0.3, 0.1], [0.6, 0.1, 0.1, 0.2]])
    target = [(0, 0), (0, 3), (4, 9)]
    gold = find_spans(["Hund", "bellt"], "Hund bellt")
    # row 0 belongs to no target word; row 1: 0.1 and 0.1 tie, so the leftmost; row 2: 0.1 < 0.2
    assert word_links(weights, source, target, gold, [(0, 3), (4, 9)]) == {(0, 0), (1, 1)}


def test_piece_with_a_leading_blank() -> None:
    # byte-level BPE: " bellt" carries its blank; it still belongs to one word only
    gold = find_spans(["Hund", "bellt"], "Hund bellt")
    pieces = [(0, 4), (4, 10)]
    assert word_links(torch.eye(2), pieces, pieces, gold, gold) == {(0, 0), (1, 1)}


def test_rows_and_columns_behind_the_sentence() -> None:
    words = spans("a b")
    weights = torch.zeros(5, 4)
    weights[0, 1] = weights[1, 0] = weights[2, 0] = 1.0  # row 2: end of sentence; rows 3, 4 and columns 2, 3: padding
    assert word_links(weights, words, words, words, words) == {(1, 0), (0, 1)}


def test_words_without_pieces_get_no_link() -> None:
    words = spans("a b c")
    assert word_links(torch.eye(2), words[:2], words[:2], words, words) == {(0, 0), (1, 1)}
    assert word_links(torch.zeros(3, 3), words, words, words, words) == set()
    assert word_links(torch.eye(3), words, words, words, []) == set()
    assert word_links(torch.eye(3), words, words, [], words) == set()
    assert word_links(torch.zeros(1, 0), [], [(0, 1)], words, [(0, 1)]) == set()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (torch.eye(2), "expected a row a target piece"),
        (torch.zeros(3, 2), "expected a row a target piece"),
        (torch.full((3, 3), torch.nan), "nan or infinity"),
        (torch.full((3, 4), 0.25), "only padding can be"),
    ],
)
def test_weights_that_do_not_fit(weights: torch.Tensor, message: str) -> None:
    words = spans("a b c")
    with pytest.raises(DataError, match=message):
        word_links(weights, words, words, words, words)


def loop_links(weights, source, target, gold_source, gold_target):  # type: ignore[no-untyped-def]
    """Follow the definition, character by character."""
    links = set()
    for j, (start, end) in enumerate(gold_target):
        rows = [t for t, (a, b) in enumerate(target) if any(start <= c < end for c in range(a, b))]
        totals = []
        for left, right in gold_source:
            total = 0.0
            for t in rows:
                for s, (a, b) in enumerate(source):
                    inside = sum(left <= c < right for c in range(a, b))
                    anywhere = sum(any(x <= c < y for x, y in gold_source) for c in range(a, b))
                    if anywhere:
                        total += float(weights[t][s]) * inside / anywhere / len(rows)
            totals.append(total)
        if totals and max(totals) > 0:
            links.add((totals.index(max(totals)), j))
    return links


def cut(rng: np.random.Generator, length: int, gaps: bool) -> list[tuple[int, int]]:
    """Cut a text into spans at random places; with ``gaps``, leave some out (blanks between words)."""
    places = [
        0,
        *sorted(rng.choice(np.arange(1, length), size=int(rng.integers(1, length // 2)), replace=False)),
        length,
    ]
    pieces = [(int(a), int(b)) for a, b in pairwise(places)]
    return [piece for piece in pieces if not gaps or rng.random() > 0.3]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("kind", [np.float32, torch.float32, torch.bfloat16])
def test_equals_a_loop(seed: int, kind: object) -> None:
    rng = np.random.default_rng(seed)
    source, target = cut(rng, 20, gaps=False), cut(rng, 24, gaps=False)
    gold_source, gold_target = cut(rng, 20, gaps=True), cut(rng, 24, gaps=True)
    weights = rng.dirichlet(np.ones(len(source)), size=len(target) + 1).astype(np.float32)
    given = weights if kind is np.float32 else torch.as_tensor(weights).to(kind)  # type: ignore[call-overload]
    expected = loop_links(given, source, target, gold_source, gold_target)
    assert word_links(given, source, target, gold_source, gold_target) == expected
