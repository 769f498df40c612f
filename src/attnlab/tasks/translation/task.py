"""Translation as a task: its loss, and what validation and testing measure."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from attnlab.data.module import TranslationData
from attnlab.decoders.base import Decoded
from attnlab.metrics.published_bleu import published_bleu
from attnlab.metrics.quantity import Counted
from attnlab.metrics.translation import TEXT_SCORES
from attnlab.models import flops
from attnlab.models.graphs import Passes
from attnlab.models.seq2seq import Seq2Seq, passes
from attnlab.ranges import Fraction, Weight, ZeroOrMore
from attnlab.runs.legacy import WORDS
from attnlab.runs.words import Words
from attnlab.runs.writing import Map, Value
from attnlab.search.base import Search
from attnlab.tasks.base import Task
from attnlab.tasks.explaining import About, Instances
from attnlab.tasks.objective import Summed
from attnlab.tasks.records import Table, drawable
from attnlab.tasks.schedules import Schedule
from attnlab.tasks.spelling import spell
from attnlab.tasks.translation.coverage import coverage_loss
from attnlab.tasks.translation.evaluation import SplitMetrics
from attnlab.tasks.translation.explaining import word_instances
from attnlab.tasks.translation.guided_alignment import Guide, alignment_loss, check_pieces
from attnlab.tasks.translation.looking import numbered, seen, with_gold
from attnlab.tasks.translation.quantities import MEASURED, VALIDATED
from attnlab.tasks.translation.r_drop import check_r_drop
from attnlab.tasks.translation.records import Translated
from attnlab.tasks.translation.searching import hypotheses, of_translations
from attnlab.tasks.translation.teacher_forcing import TeacherForcing
from attnlab.tasks.translation.weights_losses import check_weights_loss
from attnlab.tasks.translation.word_counts import save_word_counts
from attnlab.types import BOS, EOS, NO_SENTENCE, Batch, ConfigError, Hypothesis

log = logging.getLogger(__name__)


class Translation(Task[Translated]):
    """Train, validate and test a translation model.

    Args:
        model: the network.
        data: the sentences and tokenizers; its raw text is what BLEU is computed against.
        optimizer: from parameters to an optimizer.
        schedule: of the learning rate.
        search: how test sentences are translated.
        validation_search: how validation sentences are translated after each epoch.
        teacher_forcing: which previous words training reads.
        label_smoothing: epsilon of the smoothed cross-entropy, in training only.
        coverage_loss: weight of the loss on looking at a word again, in training only; 0 is off.
        guided_alignment: weight of the loss on attention by the links of the training pairs, likewise.
        r_drop: weight alpha of the divergence of two passes, likewise; see ``attnlab.kernels.two_passes``.
        alignment_shift: the alignment of a word is what the step looks at that has read it (Chen et al. 2020), and not
            the step that says it.
        validation_sentences: how many validation sentences are translated for val/bleu; None is all.
        cuda_graphs: on a GPU, replay training passes as CUDA graphs.
    """

    unit: ClassVar[str] = "target tokens"
    keys: ClassVar[Mapping[str, str]] = {"input": "source", "reference": "reference", "output": "hypothesis"}
    learns_draws = stacks = True  # Seq2Seq.loss learns from draws
    words: ClassVar[Words] = Words(**WORDS)
    quantities: tuple[Counted, ...] = MEASURED

    def __init__(
        self,
        model: Seq2Seq,
        data: TranslationData,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        schedule: Schedule,
        search: Search,
        validation_search: Search,
        teacher_forcing: TeacherForcing,
        label_smoothing: Fraction = 0.0,
        coverage_loss: Weight = 0.0,
        guided_alignment: Weight = 0.0,
        alignment_shift: bool = False,
        r_drop: Weight = 0.0,
        validation_sentences: ZeroOrMore | None = None,
        cuda_graphs: bool = True,
    ) -> None:
        super().__init__(model, data, optimizer, schedule, cuda_graphs)
        self.model: Seq2Seq
        self.data: TranslationData
        if not 0 <= label_smoothing < 1:
            raise ConfigError(f"task.label_smoothing must be in [0, 1), got {label_smoothing}")
        self.search, self.validation_search = search, validation_search
        for name, weight in (("coverage_loss", coverage_loss), ("guided_alignment", guided_alignment)):
            check_weights_loss(name, weight, model.has_weights, model.fixed_weights)
        self.teacher_forcing, self.label_smoothing = teacher_forcing, label_smoothing
        check_r_drop(r_drop, model)
        check_pieces(guided_alignment, data)
        self.coverage_loss, self.guided_alignment, self.r_drop = coverage_loss, guided_alignment, r_drop
        self.alignment_shift, self.guide = alignment_shift, Guide(data, alignment_shift)
        model.decoder.weights_in_training = bool(coverage_loss or guided_alignment)
        self.validation_sentences = validation_sentences
        self.models: Sequence[Seq2Seq] = (model,)  #: that translate together; forced decoding is the first one's
        self._searched: dict[str, tuple[int, float]] = {}  # sentences, and seconds spent on searching them
        self.measures = nn.ModuleDict()
        most, asked = model.longest_target, getattr(search, "limits", None)
        if most is not None and asked is not None and asked.max_length > most:
            log.warning(
                "translations end at %d tokens, where the learned positions end: search.max_length is more", most
            )

    def join(self, others: Sequence[Seq2Seq]) -> None:
        """Translate together with other models from now on."""
        self.models = (self.model, *others)

    def _measured(self, split: str) -> SplitMetrics:
        return cast(SplitMetrics, self.measures[split])

    def setup(self, stage: str) -> None:
        """Make the metrics, once the data know their languages and splits."""
        language, lowercase = self.data.corpus.target_language, self.data.target_tokenizer.lowercase
        for split in ("val", *self.data.test_splits):
            if split not in self.measures:
                # TER costs more than the search itself; validation does without.
                measured = [quantity.name for quantity in (VALIDATED if split == "val" else MEASURED)]
                metrics = SplitMetrics(language, lowercase, [name for name in TEXT_SCORES if name in measured])
                self.measures[split] = metrics.to(self.device)
        self.quantities = tuple(quantity.of_run(self.about()) for quantity in self.quantities)
        if stage == "fit" and self.guided_alignment:
            self.guide.require_links()

    @classmethod
    def validated(cls) -> tuple[Counted, ...]:
        return VALIDATED

    def captured(self) -> Passes | None:
        learnt = ("features", "sample") + ("weights",) * bool(self.coverage_loss or self.guided_alignment)
        return passes(self.model, learnt) if self.model.captured else None

    def loss(self, batch: Batch) -> Summed:
        inputs = self.teacher_forcing.inputs(self.model, batch, self.global_step)
        decoded: Decoded = self.training_pass(batch, inputs)
        objective, told = self._word_loss(batch, decoded, inputs)
        if self.coverage_loss:
            told["train/coverage_loss"] = coverage_loss(cast(Tensor, decoded.weights), batch.target_mask)
            objective = objective + self.coverage_loss * told["train/coverage_loss"]
        if self.guided_alignment:
            told["train/guided_alignment"] = alignment_loss(cast(Tensor, decoded.weights), self.guide.gold(batch))
            objective = objective + self.guided_alignment * told["train/guided_alignment"]
        return Summed(objective, batch.tokens.numel(), told)

    def _word_loss(self, batch: Batch, decoded: Decoded, inputs: Tensor | None) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss on words: of this pass, or of this and another one."""
        if self.r_drop:
            again = self.training_pass(batch, inputs)
            found = self.model.loss_of_two(batch, decoded, again, self.label_smoothing, self.r_drop)
            told = {"train/loss": found.cross_entropy, "train/r_drop": found.divergence}
            return found.objective, told
        loss = self.model.loss(batch, decoded, self.label_smoothing)
        return loss.total if loss.extra is None else loss.total + loss.extra, {"train/loss": loss.total}

    def measure(self, split: str, batch: Batch) -> dict[int, Translated]:
        """All states are sums, added up where the numbers are: exact for any batching and number of processes."""
        if not batch.tokens.numel():  # other processes have one sentence more
            return {}
        found = self._validate(batch) if split == "val" else self.records(split, batch)
        self.count(split, found, self.also)
        return found

    def _validate(self, batch: Batch) -> dict[int, Translated]:
        loss = self.model.loss(batch, self.model(batch))
        self._measured("val").add_loss(loss.total, loss.tokens)
        limit = self.validation_sentences
        chosen = batch.index >= 0 if limit is None else batch.index < limit
        if chosen.any() and loss.total.isfinite():  # else there is nothing to search, and the end of it all tells so
            rows = batch._replace(
                source=batch.source[chosen], source_mask=batch.source_mask[chosen], index=batch.index[chosen]
            )
            return self._translate("val", rows, self.validation_search)
        return {}

    def records(self, split: str, batch: Batch) -> dict[int, Translated]:
        decoded = self.model(batch)
        losses = -self.model.sentence_log_probs(batch, decoded)
        self._measured(split).add_loss(losses.sum(), batch.tokens.numel())
        links = {} if decoded.weights is None else self._measure_alignment(split, batch, decoded.weights)
        found = self._translate(split, batch, self.search)
        if len(self.models) > 1:
            return found
        lengths = batch.target_mask.sum(1).tolist()
        return {
            index: found[index]._replace(loss=loss, target_tokens=tokens, links=links.get(index))
            for index, loss, tokens in zip(batch.index.tolist(), losses.tolist(), lengths, strict=True)
        }

    def measured(self, split: str) -> dict[str, float]:
        values = self._measured(split).compute(split)
        if split == "val":
            self._searched.pop("val", None)
            values.pop("val/aer", None)
        values = of_translations(values) if len(self.models) > 1 else values
        return values | self.closed(split, self.also)

    def rates(self, split: str) -> dict[str, float]:
        sentences, seconds = self._searched.pop(split, (0, 0.0))
        return {f"{split}/sentences_per_second": sentences / seconds if sentences else 0.0}

    def about(self) -> dict[str, Value]:
        return {"bleu_signature": self._measured("val").score.signature}

    def other_scores(self, split: str) -> Mapping[str, tuple[float, str]]:
        """BLEU of lower-cased words, as published figures often are."""
        records = self.test_records[split]
        said, wanted = [record.hypothesis for record in records], [record.reference for record in records]
        found = published_bleu(said, wanted, self.data.corpus.target_language)
        return {} if found is None else {"bleu_lowercased": found}

    def save_more(self, folder: Path, records: Mapping[str, Sequence[Translated]]) -> None:
        save_word_counts(folder / "word_counts.json", self._measured("val").score, self.data, records)

    def moments(self, batch: Batch) -> flops.Moments | None:
        return flops.moments(batch) if batch.tokens.numel() else None

    def work(self) -> flops.Work | None:
        return flops.count(self.model)

    def maps(self, batch: Batch) -> list[Map]:
        """Forced decodings of the references, so that the rows are the same words in every epoch."""
        tokenizers = self.data.source_tokenizer, self.data.target_tokenizer
        maps = [each.map for each in seen(self.model, batch, *tokenizers) if drawable(each.map)]
        return [with_gold(item, self.data.text("val", item.number), *tokenizers) for item in maps]

    def instances(self, split: str, numbers: Sequence[int], steps: int) -> Iterator[tuple[Instances, list[About]]]:
        return word_instances(self.model, self.data, split, numbers, steps)

    def samples(self, batch: Batch) -> Table:
        """Translations, by the search for validation."""
        rows = []
        found = hypotheses(self.validation_search, self.models, self.data, "val", batch)
        for index, candidates in zip(batch.index.tolist(), found, strict=True):
            pair = self.data.text("val", index)
            rows.append([index, pair.source, pair.target, self.data.target_tokenizer.decode(candidates[0].tokens)])
        return Table(["sentence", "source", "reference", "hypothesis"], rows)

    def plain(self, batch: Batch) -> list[dict[str, Any]]:
        """Texts and ids of training sentences, BOS and EOS included, without padding."""
        found = []
        for number, source, target in numbered(batch):
            if number != NO_SENTENCE:
                pair = self.data.text("train", number)
                ids = {"source_ids": source, "target_ids": [BOS, *target, EOS]}
                found.append({"number": number, "source": pair.source, "target": pair.target, **ids})
        return found

    def _measure_alignment(self, split: str, batch: Batch, weights: Float[Tensor, "B T S"]) -> dict[int, list[int]]:
        """Count the links of each sentence that has gold ones; give what was counted, by sentence number."""
        counted: dict[int, list[int]] = {}
        on_host = weights.float().cpu()
        for row, index in enumerate(batch.index.tolist()):
            pair = self.data.text(split, index)
            if pair.alignment is None:
                break  # a corpus has gold alignments or has none
            source = self.data.source_tokenizer.tokenize(pair.source)
            target = self.data.target_tokenizer.tokenize(pair.target)
            rows = on_host[row, int(self.alignment_shift) :][: len(target), : len(source)]
            sizes = self._measured(split).add_alignment(rows, pair, source, target)
            if sizes is not None:
                counted[index] = sizes
        return counted

    def _translate(self, split: str, batch: Batch, search: Search) -> dict[int, Translated]:
        started = time.perf_counter()
        found = hypotheses(search, self.models, self.data, split, batch)  # lists: a GPU has been waited for
        sentences, seconds = self._searched.get(split, (0, 0.0))
        self._searched[split] = sentences + len(found), seconds + time.perf_counter() - started
        new = {
            index: self._record(split, index, candidates[0], search)
            for index, candidates in zip(batch.index.tolist(), found, strict=True)
        }
        counts = self._measured(split).add_translations(
            [record.hypothesis for record in new.values()], [record.reference for record in new.values()]
        )
        return {
            index: record._replace(counts=counted) for (index, record), counted in zip(new.items(), counts, strict=True)
        }

    def _record(self, split: str, index: int, best: Hypothesis, search: Search) -> Translated:
        pair = self.data.text(split, index)
        tokenizers = self.data.source_tokenizer, self.data.target_tokenizer
        spelled = spell(pair.source, best, *tokenizers, search.replace_unknown)
        weights = None if best.weights is None else best.weights.numpy()
        return Translated(
            pair.source, pair.target, spelled.text, best.score, spelled.source_tokens, spelled.tokens, weights
        )
