"""Series for a Lightning trainer, and for use without one."""

from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from attnlab.data.base import Lengths, TaskData, origin
from attnlab.data.batching import Loader, require
from attnlab.data.card import DataCard, SplitCard, side_of
from attnlab.data.series.corpus import Corpus, Stretch, origins_of, require_series
from attnlab.data.series.saved import Learnt, saved
from attnlab.data.series.scaling import Scaling, calendar
from attnlab.data.series.windows import Split, Windows
from attnlab.ranges import OneOrMore, Processes, Seed, ZeroOrMore
from attnlab.strict_json import dumps
from attnlab.types import DataError


class Training(NamedTuple):
    """What a model that is fitted at once is fitted to; all standardised."""

    values: Float[np.ndarray, "T C"]  #: every point that is trained on
    features: Float[np.ndarray, "T F"]
    origins: Int[np.ndarray, " N"]  #: of the training windows


class SeriesData(TaskData):
    """Windows of a series as batches; the series is held in memory, windows are views of it.

    Training windows begin and end in the training part; those of val and test may look back at points before their
    part, and every point that they forecast lies in it.

    Args:
        corpus: where the series comes from, with its horizon and season.
        lookback: points of a past; None is what the corpus has, two seasons or three horizons.
        train_stride: points between the origins of two training windows.
        harmonics: sines and cosines of the position in each of the corpus's periods, so many a period, as features
            that are known of the future; 0 for none. Rows are counted from the first one of the series.
        refit: train on val, too, once settings and epochs were chosen by it: there is no validation then, and the last
            state is what is tested.
        batch_size: windows in a training batch.
        num_workers: processes that put batches together; 0 does.
        seed: of the order of the training batches.
        eval_batch_size: windows in a validation or test batch.
        tokenizers: folder of a finished run's ``series.json`` whose scaling is used instead of learning one.
        splits: read these only; ``None`` for all of the corpus.
        overfit_check: so many training windows, evenly spread, are tested as one more test split, ``train_check``.

    Raises:
        ConfigError: a setting is out of range.
    """

    def __init__(
        self,
        corpus: Corpus,
        lookback: OneOrMore | None = None,
        train_stride: OneOrMore = 1,
        harmonics: ZeroOrMore = 0,
        refit: bool = False,
        batch_size: OneOrMore = 64,
        num_workers: Processes = 0,
        seed: Seed = 1,
        eval_batch_size: OneOrMore = 256,
        tokenizers: str | None = None,
        splits: list[str] | None = None,
        overfit_check: ZeroOrMore = 0,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            num_workers=num_workers,
            seed=seed,
            eval_batch_size=eval_batch_size,
            overfit_check=overfit_check,
        )
        require("lookback", lookback, 1)
        require("train_stride", train_stride, 1)
        require_series(corpus)
        self.corpus, self.train_stride = corpus, train_stride
        self.lookback = lookback or corpus.plan.usual_lookback
        self.harmonics, self.refit = harmonics, refit
        self.saved = Path(tokenizers) if tokenizers else None
        self.wanted = tuple(splits) if splits else None
        self._splits: dict[str, Split] = {}
        self._scaling: Scaling | None = None

    def setup(self, stage: str | None = None) -> None:
        """Read, learn the scaling, find the origins; once.

        Raises:
            DataError: the series is too short, or no column of the run's is there.
        """
        if self._splits:
            return
        names = [split for split in self.corpus.splits if self.wanted is None or split in self.wanted]
        stretches = {split: stretch for split in names for stretch in self.corpus.read(split)}
        if self.refit and {"train", "val"} <= stretches.keys():
            stretches["train"] = stretches["val"]._replace(start=0)
        if self.saved is not None:
            learnt = saved(self.saved)
            self._require_alike(learnt)
            self._scaling = learnt.scaling
        elif "train" in stretches:
            self._scaling = Scaling.learnt(stretches["train"].table.values)
        else:
            raise DataError(f"{self.corpus.name} has no split train to learn the scale of its columns from")
        self._splits = {split: self._split(split, stretch) for split, stretch in stretches.items()}

    def _require_alike(self, learnt: Learnt) -> None:
        """Columns of other data may have other names, but there must be as many of a kind, and the same horizon."""
        theirs, ours = learnt.columns, self.corpus.columns
        if any(len(a) != len(b) for a, b in zip(theirs, ours, strict=True)):
            raise DataError(
                f"{self.corpus.name}: columns {', '.join(ours.all)}, and the run has {', '.join(theirs.all)}; name as "
                "many in dataset.targets, dataset.exogenous and dataset.known"
            )
        if (here := self.learnt(learnt.scaling)).dimensions != learnt.dimensions:
            changed = [f"{k}={v} (the run: {learnt.dimensions[k]})" for k, v in here.dimensions.items()
                       if v != learnt.dimensions[k]]  # fmt: skip
            raise DataError(
                f"{self.corpus.name}: {', '.join(changed)}; set them in dataset and data as the run has them"
            )

    def learnt(self, scaling: Scaling) -> Learnt:
        """What a finished run is used with."""
        missing: Any = getattr(self.corpus, "missing", "error")
        return Learnt(self.corpus.columns, self.corpus.plan, scaling, self.lookback, self.harmonics, missing)

    def _split(self, name: str, stretch: Stretch) -> Split:
        values, plan, kinds = stretch.table.values, self.corpus.plan, self.corpus.columns
        stride = self.train_stride if name == "train" else plan.stride
        origins = origins_of(stretch, self.lookback, plan.horizon, stride, f"{self.corpus.name}, {name}")
        scaled = self.scaling.scaled(values)
        known = scaled[:, len(kinds.targets) + len(kinds.exogenous) :]
        waves = calendar(np.arange(len(values)), plan.periods, self.harmonics)
        raw = values[:, : len(kinds.targets)]
        scale = seasonal_difference(raw[: stretch.tested], plan.season)
        return Split(scaled, np.concatenate([known, waves], axis=1), raw, origins, scale, stretch.lags)

    @property
    def scaling(self) -> Scaling:
        if self._scaling is None:
            raise DataError("the data are not open yet: call setup() first")
        return self._scaling

    @property
    def horizon(self) -> int:
        return self.corpus.plan.horizon

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the columns that are forecast."""
        return self.corpus.columns.targets

    @property
    def corpus_name(self) -> str:
        return self.corpus.name

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self._splits)

    def split(self, name: str) -> Split:
        """The series and origins of a split."""
        return self._splits[origin(name)]

    def dataset(self, split: str, multiple: int = 1) -> Windows:
        return Windows(self._splits[split], self.lookback, self.horizon, len(self.targets))

    def lengths(self, split: str) -> Lengths:
        """All pasts are alike long."""
        return (np.full(len(self._splits[split].origins), self.lookback),)

    def val_dataloader(self) -> Loader | list[Loader]:  # type: ignore[override]
        """Nothing is validated on what is trained on."""
        return [] if self.refit else super().val_dataloader()

    def dimensions(self) -> dict[str, Any]:
        return dict(self.learnt(self.scaling).dimensions)

    def training(self) -> Training:
        """All that is trained on, for a model that is fitted at once."""
        split = self._splits["train"]
        return Training(split.values, split.features, split.origins[self.training_rows()])

    def fingerprint(self) -> str:
        scaling = self.saved and str(self.saved)
        return dumps([self.corpus.fingerprint(), scaling, self.lookback, self.harmonics, self.refit, self.wanted])

    def batching(self) -> list[Any]:
        return [*super().batching(), self.train_stride]

    @cached_property
    def card(self) -> DataCard:
        """Windows and the points of each; unknown points there are none."""
        splits = {}
        for name, split in self._splits.items():
            if not (name == "val" and self.refit):
                points = np.full(len(split.origins), self.lookback + self.horizon)
                splits[name] = SplitCard(len(points), {"series": side_of(points, 0)}, {})
        return DataCard(self.corpus.name, "windows", {}, splits, ())

    def save(self, folder: Path) -> None:
        """Write ``series.json``."""
        self.learnt(self.scaling).save(folder)


def seasonal_difference(values: Float[np.ndarray, "T K"], season: int) -> Float[np.ndarray, " K"]:
    """The scale of MASE (Hyndman and Koehler 2006): the mean absolute difference of points a season apart.

    1 for a column of which that is 0 or not known, so that the error is as it stands.
    """
    if len(values) <= season:
        return np.ones(values.shape[1])
    found = np.abs(values[season:] - values[:-season]).mean(0)
    return np.where(found > 0, found, 1.0)
