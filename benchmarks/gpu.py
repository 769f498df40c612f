"""On a GPU: training throughput at two sizes, its share of the peak, and what additive scores and the loss cost.

    python benchmarks/gpu.py [--parts training additive loss] [--rounds 30] [--out file]

* Training (forward, backward, clipping, fused Adam) in fp32 (TF32 products) and under bf16 autocast, by CUDA graphs
  as ``python train.py`` does it and without, at the size of Multi30k (embeddings 256, BiLSTM 256 a direction, LSTM 512,
  80 sentences) and at base size (512, 512, 1,024, 256 sentences, vocabulary 32,000), on random sentences of captions'
  lengths, padded to multiples of 8 as the data are on a GPU: real target tokens a second, FLOPs by the shapes (real
  tokens, too), share of the peak of matrix products measured in the same run.
* The additive score with its softmax and context, forward and backward: what ``attention=bahdanau`` uses on this
  machine, the plain equation, and the plain equation compiled; without gradient, likewise, and by the kernel that
  writes nothing but the context. Beside them the rate of the hardware's tanh, measured in registers: the plain equation
  takes B x T x S x A of them.
* Output layer and loss of 4,096 tokens over 32,000 words, forward and backward, against all logits at once.

Variants take turns; times are between CUDA events. The last two parts replay all variants as CUDA graphs, as training
does, so that the time to launch kernels is nobody's.
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import no_type_check

import torch
import triton
import triton.language as tl
from hydra.utils import instantiate
from torch import Tensor, nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))
import measure
import ours

from attnlab.callbacks.gemm_peak import measure as gemm_rate
from attnlab.kernels.additive import additive_attention
from attnlab.kernels.cross_entropy import linear_cross_entropy
from attnlab.kernels.gpu import kernels
from attnlab.models.flops import count, moments
from attnlab.models.graphs import Graphs
from attnlab.models.seq2seq import passes
from attnlab.types import BOS, EOS, Batch

Runs = dict[str, Callable[[int], object]]

SIZES = {
    "multi30k": (["model.embedding_dim=256", "encoder.hidden_dim=256", "decoder.hidden_dim=512"], 8000, 80),
    "base": (["model.embedding_dim=512", "encoder.hidden_dim=512", "decoder.hidden_dim=1024"], 32000, 256),
}
PLACES = {
    "general, input feeding": ("luong_general", "luong_input_feeding"),
    "additive, input feeding": ("bahdanau", "luong_input_feeding"),
    "general, early": ("luong_general", "luong"),
}
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
ADDITIVE = ((32, 64, 64, 512), (64, 128, 128, 512), (32, 256, 256, 512))  # B, T, S, A
COMPILED = ADDITIVE[-1:]  # compiling takes longer than all the rest
MULTIPLE = 8


def main() -> None:
    options = arguments()
    if not torch.cuda.is_available():
        raise SystemExit("no GPU here: this benchmark needs one")
    torch.set_float32_matmul_precision("high")
    measure.report(f"## GPU\n\n{measure.machine()}\n\nTF32 products in fp32. {options.rounds} rounds.\n", options.out)
    for part in options.parts:
        PARTS[part](options)


def report_training(options: argparse.Namespace) -> None:
    peaks = {name: gemm_rate(torch.device("cuda"), dtype, 0.5) for name, dtype in PRECISIONS.items()}
    shown = ", ".join(f"{name} {peak / 1e12:.0f} TFLOP/s" for name, peak in peaks.items())
    measure.report(f"### Training\n\nPeak of products of square matrices: {shown}.\n", options.out)
    header = ("size", "decoder", "precision", "graphs", "tokens/s", "TFLOP/s", "share of the peak", "times plain")
    rows = [row for size in SIZES for place in PLACES for row in training(size, place, options.rounds, peaks)]
    measure.results("GPU, training", header, rows, options.out)


def training(size: str, place: str, rounds: int, peaks: dict[str, float]) -> list[tuple[str, ...]]:
    """Both precisions of one model, with graphs and without."""
    overrides, vocabulary, sentences = SIZES[size]
    attention, decoder = PLACES[place]
    config = ours.composed(f"attention={attention}", f"decoder={decoder}", *overrides, "model.dropout=0")
    batches = [random_batch(sentences, vocabulary, number) for number in range(8)]
    runs: Runs = {}
    work = 0.0
    for precision in PRECISIONS:
        for graphs in (True, False):
            model = instantiate(config.model)(source_vocabulary=vocabulary, target_vocabulary=vocabulary).cuda().train()
            work = work or count(model).of(sum(moments(batch) for batch in batches))
            runs[f"{precision} {graphs}"] = steps_of(model, batches, precision == "bf16", graphs)
    seconds = interleave(runs, rounds, warm=2)
    tokens = sum(batch.tokens.numel() for batch in batches)
    rows = []
    for precision in PRECISIONS:
        plain = statistics.median(seconds[f"{precision} False"])
        for graphs in (True, False):
            median = statistics.median(seconds[f"{precision} {graphs}"])
            rate, times = work / median, f"{plain / median:.2f}" if graphs else ""
            shown = f"{tokens / median:,.0f}", f"{rate / 1e12:.1f}", f"{rate / peaks[precision]:.1%}", times
            rows.append((size, place, precision, "yes" if graphs else "no", *shown))
    return rows


def steps_of(model: nn.Module, batches: list[Batch], bf16: bool, graphs: bool) -> Callable[[int], object]:
    """A step for each of the batches."""
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4, fused=True)
    call = Graphs(passes(model)) if graphs else model

    def step(batch: Batch) -> None:
        with torch.autocast("cuda", torch.bfloat16) if bf16 else nullcontext():
            loss = model.loss(batch, call(batch))
            mean = loss.total / loss.tokens
        optimizer.zero_grad(set_to_none=True)
        mean.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        assert not graphs or not call.failed

    return lambda number: [step(batch) for batch in batches]


def random_batch(sentences: int, vocabulary: int, seed: int) -> Batch:
    """Sentences of 8 to 20 tokens, as bucketed batches of captions have."""
    torch.manual_seed(seed)
    longest = int(torch.randint(8, 21, ()))
    lengths = torch.randint(max(4, longest - 2), longest + 1, (sentences,))
    mask = torch.arange(longest + -longest % MULTIPLE) < lengths[:, None]
    source = torch.randint(4, vocabulary, mask.shape).masked_fill(~mask, 0)
    steps = longest + 1 + -(longest + 1) % MULTIPLE
    target = torch.zeros(sentences, steps + 1, dtype=torch.long)
    target[:, 0] = BOS
    target[:, 1 : longest + 1] = source[:, :longest]
    target[torch.arange(sentences), lengths + 1] = EOS
    target_mask = torch.arange(steps) <= lengths[:, None]
    tokens = target_mask.flatten().nonzero().flatten()
    return Batch(*(part.cuda() for part in (source, mask, target, target_mask, tokens, torch.arange(sentences))))


def report_additive(options: argparse.Namespace) -> None:
    rate = tanh_rate()
    measure.report(f"### Additive attention, fp32\n\nThe hardware's tanh: {rate / 1e12:.2f} T/s.\n", options.out)
    header = (
        "B, T, S, A",
        "pass",
        "variant",
        "ms",
        "B T S A, T/s",
        "of the tanh rate",
        "MiB at the peak",
        "times plain",
    )
    rows = [row for sizes in ADDITIVE for row in additive(sizes, options.rounds, rate)]
    measure.results("GPU, additive attention", header, rows, options.out)


def additive(sizes: tuple[int, int, int, int], rounds: int, rate: float) -> list[tuple[str, ...]]:
    """Both passes, then the context alone, at one size."""
    B, T, S, A = sizes
    torch.manual_seed(0)
    query, keys, values = (torch.randn(B, n, A, device="cuda", requires_grad=True) for n in (T, S, S))
    v = torch.randn(A, device="cuda", requires_grad=True)
    mask = torch.ones(B, S, dtype=torch.bool, device="cuda")
    variants: dict[str, Callable[[], Tensor]] = {
        "attnlab": lambda: additive_attention(query, keys, v, values, mask)[0],
        "plain": lambda: plain(query, keys, v, values),
    }
    if sizes in COMPILED:
        faster = torch.compile(plain)
        variants["plain, compiled"] = lambda: faster(query, keys, v, values)

    def both(run: Callable[[], Tensor]) -> Callable[[int], object]:
        return lambda number: torch.autograd.grad(run().sum(), (query, keys, v, values))

    def alone(run: Callable[[], Tensor]) -> Callable[[int], object]:
        return lambda number: torch.no_grad()(run)()

    def one_pass() -> Tensor:
        context: Tensor = kernels("additive", query).attended(query, keys, v, values, mask, 1.0)
        return context

    passes = {
        "forward and backward": {name: both(run) for name, run in variants.items()},
        "forward": {name: alone(run) for name, run in variants.items()} | {"attnlab, context only": alone(one_pass)},
    }
    rows = []
    for name, runs in passes.items():
        seconds = interleave({name: captured(run) for name, run in runs.items()}, rounds)
        slow = statistics.median(seconds["plain"])
        for variant, taken in seconds.items():
            median = statistics.median(taken)
            done = B * T * S * A / median
            times = "" if variant == "plain" else f"{slow / median:.1f}"
            shown = f"{1e3 * median:.3f}", f"{done / 1e12:.2f}", f"{done / rate:.0%}", f"{peak_of(runs[variant]):.0f}"
            rows.append((", ".join(map(str, sizes)), name, variant, *shown, times))
    return rows


def plain(query: Tensor, keys: Tensor, v: Tensor, values: Tensor) -> Tensor:
    """The equations as they stand."""
    return (torch.tanh(query.unsqueeze(2) + keys.unsqueeze(1)) @ v).softmax(-1) @ values


@triton.jit
@no_type_check
def _tanhs(out, TIMES: tl.constexpr, BLOCK: tl.constexpr):
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(out + place)
    for _ in range(TIMES):
        x = tl.inline_asm_elementwise("tanh.approx.f32 $0, $1;", "=f,f", [x], dtype=tl.float32, is_pure=True, pack=1)
    tl.store(out + place, x)


def tanh_rate() -> float:
    """Hyperbolic tangents a second of the whole GPU, in registers."""
    times, block, programs = 4096, 1024, 2048
    numbers = torch.randn(programs * block, device="cuda")
    runs: Runs = {"": lambda number: _tanhs[(programs,)](numbers, TIMES=times, BLOCK=block)}
    return times * numbers.numel() / min(interleave(runs, 10, warm=2)[""])


def report_loss(options: argparse.Namespace) -> None:
    measure.report(
        "### Output layer and loss, 4,096 tokens of 1,024, 32,000 words, forward and backward\n", options.out
    )
    torch.manual_seed(0)
    features = torch.randn(4096, 1024, device="cuda", requires_grad=True)
    weight = (0.03 * torch.randn(32000, 1024, device="cuda")).requires_grad_()
    bias, gold = torch.zeros(32000, device="cuda", requires_grad=True), torch.randint(32000, (4096,), device="cuda")
    given = features, weight, bias
    variants = {
        "attnlab": lambda: linear_cross_entropy(*given, gold, 0.1),
        "all logits at once": lambda: F.cross_entropy(
            F.linear(features, weight, bias), gold, reduction="sum", label_smoothing=0.1
        ),
    }
    rows = []
    for precision in PRECISIONS:

        def both(run: Callable[[], Tensor], low: bool = precision == "bf16") -> Callable[[int], object]:
            def work(number: int) -> object:
                with torch.autocast("cuda", torch.bfloat16) if low else nullcontext():
                    loss = run()
                return torch.autograd.grad(loss, given)

            return work

        runs = {name: both(run) for name, run in variants.items()}
        seconds = interleave({name: captured(run) for name, run in runs.items()}, options.rounds)
        slow = statistics.median(seconds["all logits at once"])
        for name, taken in seconds.items():
            median = statistics.median(taken)
            times = f"{slow / median:.2f}" if name == "attnlab" else ""
            rows.append((precision, name, f"{1e3 * median:.2f}", f"{peak_of(runs[name]):.0f}", times))
    header = ("precision", "variant", "ms", "MiB at the peak", "times plain")
    measure.results("GPU, output layer and loss", header, rows, options.out)


def captured(run: Callable[[int], object]) -> Callable[[int], object]:
    """The same work as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            run(0)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        run(0)
    return lambda number: graph.replay()


def peak_of(run: Callable[[int], object]) -> float:
    """Mebibytes beyond what there was before, results included."""
    run(0)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run(0)
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def interleave(runs: Runs, rounds: int, warm: int = 5) -> dict[str, list[float]]:
    """Seconds of every variant in every round, between CUDA events."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(warm + rounds):
        for name, run in runs.items():
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda.synchronize()
            start.record()
            run(number)
            end.record()
            end.synchronize()
            if number >= warm:
                seconds[name].append(start.elapsed_time(end) / 1e3)
    return seconds


PARTS = {"training": report_training, "additive": report_additive, "loss": report_loss}


def arguments() -> argparse.Namespace:
    parser = measure.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="a round of training is eight steps")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
