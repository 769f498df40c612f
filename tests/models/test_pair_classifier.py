"""Models of sentence pairs against scalar loops of their papers' equations; a pair alone and in a batch."""

from functools import partial

import numpy as np
import pytest
import torch
from composing import CONF, compose
from hydra.utils import instantiate

from attnlab.attention.base import Attention
from attnlab.attention.none import NoAttention
from attnlab.attention.normalizers.sampled import Sampled
from attnlab.attention.normalizers.softmax import Softmax
from attnlab.attention.scores.bahdanau import Bahdanau
from attnlab.attention.scores.coverage import Coverage
from attnlab.attention.scores.luong_dot import LuongDot
from attnlab.attention.windows.all import All
from attnlab.data.labelled.ngrams import Ngrams, Speller
from attnlab.encoders.embedding import Embedding
from attnlab.encoders.recurrent import Recurrent
from attnlab.errors import ConfigError
from attnlab.layers.initialization import Initialization
from attnlab.models.decomposable import Decomposable
from attnlab.models.matching import Embedded
from attnlab.models.overlap_linear import OverlapLinear
from attnlab.models.pair_classifier import PairClassifier
from attnlab.models.siamese import Siamese
from attnlab.models.word_by_word import WordByWord
from attnlab.pooling.mean import Mean
from attnlab.types import Side

MECHANISMS = sorted(path.stem for path in (CONF / "attention").glob("*.yaml"))
PREMISES, HYPOTHESES, E = [5, 2, 1], [3, 4, 1], 4


def with_score(score, normalizer=Softmax):
    return partial(Attention, score, All, normalizer)


LSTM = partial(Recurrent, cell="lstm", hidden_dim=3, bidirectional=False)
BILSTM = partial(Recurrent, cell="lstm", hidden_dim=2)
GRU = partial(Recurrent, cell="gru", hidden_dim=2)
DECOMPOSABLE = partial(Decomposable, encoder=Embedding, attention=with_score(LuongDot), hidden_dim=3)
MATCHINGS = {
    "decomposable": DECOMPOSABLE,
    "intra": partial(DECOMPOSABLE, intra_attention=True, distance=1, differences=True, attend_layers=0),
    "encoded": partial(DECOMPOSABLE, encoder=GRU, attention=partial(NoAttention), differences=True),
    "word_by_word": partial(WordByWord, encoder=LSTM, attention=with_score(Bahdanau), two_way=False),
    "two_way": partial(WordByWord, encoder=BILSTM, attention=with_score(Bahdanau)),
    "looking_back": partial(WordByWord, encoder=GRU, attention=with_score(Coverage)),
    "siamese": partial(Siamese, encoder=GRU, pooling=Mean),
}


def model(matching, **settings):
    torch.manual_seed(3)
    return PairClassifier(20, 3, 2, matching, Initialization(), **({"embedding_dim": E} | settings)).double()


def sides(speller=None):
    draw, found = torch.Generator().manual_seed(1), []
    for lengths in (PREMISES, HYPOTHESES):
        mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
        words = torch.randint(4, 20, mask.shape, generator=draw) * mask
        numbers = np.zeros(mask.shape, np.int64)
        for row, length in enumerate(lengths):
            if speller is not None:
                numbers[row, :length] = speller.number([f"w{word}" for word in words[row, :length].tolist()])
        found.append((words, mask, numbers))
    return found


def side(words, mask, numbers, speller=None):
    return Side(words, mask, None if speller is None else speller.spell(numbers))


@pytest.mark.parametrize("name", MATCHINGS)
@pytest.mark.parametrize("more", [False, True])
def test_a_pair_alone_or_in_a_batch(name, more):
    """With n-grams and features, and without."""
    speller = Speller(Ngrams(buckets=11)) if more else None
    built = model(MATCHINGS[name], ngrams=11 if more else 0, overlap=more).eval()
    both = sides(speller)
    overlap = torch.randn(3, 2).double() if more else None
    whole = built(*(side(*parts, speller) for parts in both), overlap)
    for row, lengths in enumerate(zip(PREMISES, HYPOTHESES, strict=True)):
        cut = [side(*(part[row : row + 1, :length] for part in parts), speller)
               for parts, length in zip(both, lengths, strict=True)]  # fmt: skip
        apart = built(*cut, None if overlap is None else overlap[row : row + 1])
        torch.testing.assert_close(apart.logits[0], whole.logits[row], atol=1e-12, rtol=0)
        s, t = lengths
        for mine, theirs, shape in ((apart.weights, whole.weights, (t, s)), (apart.back, whole.back, (s, t))):
            if mine is not None:
                torch.testing.assert_close(mine[0], theirs[row, : shape[0], : shape[1]], atol=1e-12, rtol=0)
                torch.testing.assert_close(mine.sum(-1), torch.ones(1, shape[0]).double())
                assert not theirs[row, :, shape[1] :].any()


# Scalar loops: lists of numbers, one multiplication at a time.
def times(W, x):
    return [sum(w * v for w, v in zip(row, x, strict=True)) for row in W]


def plus(*vectors):
    return [sum(parts) for parts in zip(*vectors, strict=True)]


def network(layers, x):
    """Linear layers with ReLU behind each."""
    for layer in layers:
        x = [torch.relu(v) for v in plus(times(layer.weight, x), list(layer.bias))]
    return x


def linear_layers(sequence):
    return [part for part in sequence if isinstance(part, torch.nn.Linear)]


def softmax(scores):
    exps = [torch.exp(score - max(float(s.detach()) for s in scores)) for score in scores]
    return [e / sum(exps) for e in exps]


def mixed(weights, vectors):
    return plus(*([w * v for v in vector] for w, vector in zip(weights, vectors, strict=True)))


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def decomposed(m, a, b):
    """Equations (1) to (4), (6) and (7), a word at a time."""
    if m.intra is not None:
        a, b = (intra(m.intra, words) for words in (a, b))
    e = [[dot(network(linear_layers(m.F), p), network(linear_layers(m.F), h)) for h in b] for p in a]
    beta = [mixed(softmax(row), b) for row in e]
    alpha = [mixed(softmax([e[i][j] for i in range(len(a))]), a) for j in range(len(b))]
    found = []
    for words, theirs in ((a, beta), (b, alpha)):
        told = []
        for x, y in zip(words, theirs, strict=True):
            more = [abs(u - v) for u, v in zip(x, y, strict=True)] + [u * v for u, v in zip(x, y, strict=True)]
            told.append(network(linear_layers(m.G), [*x, *y, *(more if m.differences else [])]))
        found += plus(*told)
    return found, e


def intra(part, words):
    layers, most = linear_layers(part.F_intra), part.distance + 1
    found = []
    for i, x in enumerate(words):
        f = [dot(network(layers, x), network(layers, y)) + part.d[max(-most, min(most, i - j)) + most]
             for j, y in enumerate(words)]  # fmt: skip
        found.append([*x, *mixed(softmax(f), words)])
    return found


def both(row):
    """Embedded words of one pair, as what models take and as lists of numbers, with gradients."""
    torch.manual_seed(5)
    made = [torch.randn(1, lengths[row], E, dtype=torch.float64, requires_grad=True)
            for lengths in (PREMISES, HYPOTHESES)]  # fmt: skip
    given = [Embedded(words, torch.ones(words.shape[:2], dtype=torch.bool)) for words in made]
    return made, given, [[list(word) for word in words[0]] for words in made]


def same_gradients(built, made, fast, slow):
    """Of the sum of what both give, weighed so that no two parts of it are alike."""
    scale = torch.arange(1.0, len(slow) + 1).double()
    torch.testing.assert_close(fast, torch.stack(slow), atol=1e-12, rtol=1e-9)
    wanted = [*made, *(p for p in built.parameters() if p.requires_grad)]
    found = [torch.autograd.grad((x * scale).sum(), wanted, allow_unused=True) for x in (fast, torch.stack(slow))]
    for mine, theirs in zip(*found, strict=True):
        assert (mine is None) == (theirs is None) or not (mine if theirs is None else theirs).any()
        if mine is not None and theirs is not None:
            torch.testing.assert_close(mine, theirs, atol=1e-10, rtol=1e-7)
    assert sum(part is not None and bool(part.any()) for part in found[1]) > len(made)


@pytest.mark.parametrize("settings", [{}, {"attend_layers": 0, "differences": True},
                                      {"intra_attention": True, "distance": 1}])  # fmt: skip
def test_decomposable_attention_is_its_equations(settings):
    torch.manual_seed(2)
    built = DECOMPOSABLE(embedding_dim=E, **settings).double().eval()
    if built.intra is not None:
        torch.nn.init.normal_(built.intra.d)
    made, given, (a, b) = both(0)
    found = built(*given)
    slow, e = decomposed(built, a, b)
    same_gradients(built, made, found.vector[0], slow)
    for j, row in enumerate(found.weights[0]):
        torch.testing.assert_close(row, torch.stack(softmax([e[i][j] for i in range(len(a))])))
    for i, row in enumerate(found.back[0]):
        torch.testing.assert_close(row, torch.stack(softmax(e[i])))


def lstm(rnn, inputs, cell):
    """torch's equations, gates i, f, g, o; hidden begins as zeros."""
    size, hidden, found = len(cell), [torch.zeros(()).double()] * len(cell), []
    for x in inputs:
        total = plus(
            times(rnn.weight_ih_l0, x), times(rnn.weight_hh_l0, hidden), list(rnn.bias_ih_l0), list(rnn.bias_hh_l0)
        )
        i, f, g, o = (total[size * k : size * (k + 1)] for k in range(4))
        cell = [torch.sigmoid(f[k]) * cell[k] + torch.sigmoid(i[k]) * torch.tanh(g[k]) for k in range(size)]
        hidden = [torch.sigmoid(o[k]) * torch.tanh(cell[k]) for k in range(size)]
        found.append(hidden)
    return found, cell


def read_behind(m, premise, hypothesis):
    """h* by the equations of the module: the premise read, the hypothesis behind it, a look a word."""
    zeros = [torch.zeros(()).double()] * 3
    Y, cell = lstm(m.encoder.rnns[0], premise, zeros)
    h = lstm(m.behind.rnns[0], [list(m.behind.delimiter), *hypothesis], cell)[0][1:]
    score, r, weights = m.attention.score, zeros, []
    W_h, W_y, w = score.W_a.weight, score.U_a.weight, score.v_a.weight[0]
    W_r = W_h @ m.W_r.weight  # the paper's: see the deviation in the module
    for h_t in h:
        M = [[torch.tanh(v) for v in plus(times(W_y, y), times(W_h, h_t), times(W_r, r))] for y in Y]
        weights.append(softmax([dot(w, column) for column in M]))
        r = plus(mixed(weights[-1], Y), [torch.tanh(v) for v in times(m.W_t.weight, r)])
    return [torch.tanh(v) for v in plus(times(m.W_p.weight, r), times(m.W_x.weight, h[-1]))], weights


@pytest.mark.parametrize("two_way", [False, True])
def test_word_by_word_attention_is_its_equations(two_way):
    torch.manual_seed(2)
    built = WordByWord(E, LSTM, with_score(Bahdanau), two_way).double().eval()
    torch.nn.init.normal_(built.behind.delimiter)
    made, given, (a, b) = both(0)
    found = built(*given)
    slow, weights = read_behind(built, a, b)
    torch.testing.assert_close(found.weights[0], torch.stack([torch.stack(row) for row in weights]))
    if two_way:
        other, back = read_behind(built, b, a)
        slow = slow + other
        torch.testing.assert_close(found.back[0], torch.stack([torch.stack(row) for row in back]))
    else:
        assert found.back is None
    same_gradients(built, made, found.vector[0], slow)


def test_each_direction_goes_on_where_that_of_the_premise_ended():
    torch.manual_seed(2)
    built = WordByWord(E, BILSTM, with_score(Bahdanau)).double().eval()
    torch.nn.init.normal_(built.behind.delimiter)
    _, given, (a, b) = both(1)
    with torch.no_grad():
        read = built.encoder(*given[0])
        found = built.behind(*given[1], read)
    ends, ways = [], []
    for way, (first, second) in enumerate(zip(built.encoder.rnns, built.behind.rnns, strict=True)):
        order = slice(None, None, -1 if way else 1)
        _, cell = lstm(first, a[order], [torch.zeros(()).double()] * 2)
        states = lstm(second, [list(built.behind.delimiter), *b[order]], cell)[0][1:]
        ends += states[-1]
        ways.append(states[order])
    torch.testing.assert_close(found.summary[0], torch.stack(ends).detach())
    expected = torch.stack([torch.stack([*ways[0][t], *ways[1][t]]) for t in range(len(b))])
    torch.testing.assert_close(found.states[0], expected.detach())


def test_the_control_compares_two_vectors():
    torch.manual_seed(2)
    built = Siamese(E, Embedding, Mean).double().eval()
    _, given, (a, b) = both(0)
    u, v = (mixed([torch.tensor(1 / len(words)).double()] * len(words), words) for words in (a, b))
    slow = [*u, *v, *(abs(x - y) for x, y in zip(u, v, strict=True)), *(x * y for x, y in zip(u, v, strict=True))]
    found = built(*given)
    torch.testing.assert_close(found.vector[0], torch.stack(slow))
    assert found.weights is None
    assert not built.aligns


def composed(*words):
    return compose("dataset=sick", "model.embedding_dim=8", "data.ngrams=null", *words)


@pytest.mark.parametrize("name", MECHANISMS)
def test_every_mechanism_stands_in_one_of_them(name):
    """Those that look back at their own weights go word by word; all others let all words look at once, too."""
    attention = instantiate(composed(f"attention={name}", "encoder=gru", "encoder.hidden_dim=4").attention)
    encoder = partial(Recurrent, cell="gru", hidden_dim=4)
    matchings = [WordByWord(E, encoder, attention).double()]
    if matchings[0].attention.looks_back:
        with pytest.raises(ConfigError, match="model=word_by_word"):
            Decomposable(E, encoder, attention)
    else:
        matchings.append(Decomposable(E, encoder, attention).double())
    for built in matchings:
        Initialization()(built)
        found = built(*both(0)[1])
        assert found.vector.isfinite().all()
        found.vector.sum().backward()
        assert all(bool(p.grad.isfinite().all()) for p in built.parameters() if p.grad is not None)
        assert (found.weights is None) == (name == "none")


def test_heads_are_those_whose_mean_is_drawn():
    torch.manual_seed(2)
    config = composed("attention=multi_head", "attention.heads=2")
    built = model(partial(DECOMPOSABLE, attention=instantiate(config.attention))).eval()
    parts = [side(*numbers) for numbers in sides()]
    heads = built.weights_by_head(*parts)
    assert heads.shape == (3, 1, 2, 4, 5)
    torch.testing.assert_close(heads.mean((1, 2)), built(*parts).weights)
    assert model(DECOMPOSABLE).weights_by_head(*parts) is None


def test_what_cannot_go_together_is_told():
    with pytest.raises(ConfigError, match=r"one recurrent layer: take encoder=lstm"):
        WordByWord(E, Embedding, with_score(LuongDot))
    with pytest.raises(ConfigError, match=r"with encoder\.layers=1"):
        WordByWord(E, partial(GRU, layers=2), with_score(LuongDot))
    with pytest.raises(ConfigError, match=r"Coverage asks where earlier words have looked. Take model=word_by_word"):
        DECOMPOSABLE(E, attention=with_score(Coverage))


@pytest.mark.parametrize("name", ["decomposable", "two_way"])
def test_weights_that_are_drawn_are_learnt_from(name):
    built = model(partial(MATCHINGS[name], attention=with_score(Bahdanau, Sampled))).train()
    parts = [side(*both_parts) for both_parts in sides()]
    found = built(*parts)
    assert [drawn.sample.log_prob.shape for drawn in found.drawn] in (
        [(3, 5), (3, 4)], [(3, 4), (3, 5)],
    )  # fmt: skip
    label = torch.tensor([0, 2, 1])
    built.surrogate(found, label, torch.tensor([True, True, False])).backward()
    gradient = built.matching.attention.score.v_a.weight.grad
    assert gradient.any()
    assert gradient.isfinite().all()
    assert built.eval()(*parts).drawn == ()


def test_a_linear_row_is_scikit_learns():
    from sklearn.linear_model import LogisticRegression

    draw = np.random.default_rng(1)
    features = draw.normal(size=(80, 2)).astype(np.float32)
    labels = (features @ [1.0, -2.0] > 0).astype(int) + 2 * (draw.random(80) < 0.3)  # 0, 1, 2, 3
    built = OverlapLinear(10, 5, 2, C=2.0)  # and no pair of the last class
    assert not built.is_fitted
    loss = built.fit(features, np.eye(5)[labels])
    theirs = LogisticRegression(C=2.0, max_iter=2000).fit(features, labels)
    pair = Side(torch.zeros(80, 1, dtype=torch.long), torch.ones(80, 1, dtype=torch.bool))
    found = built(pair, pair, torch.from_numpy(features)).logits.softmax(-1)
    np.testing.assert_allclose(found[:, :4].numpy(), theirs.predict_proba(features), atol=1e-5)
    assert loss == pytest.approx(-np.log(theirs.predict_proba(features))[np.arange(80), labels].mean(), abs=1e-5)
    assert built.is_fitted
