"""Whole film reviews that praise or pan, split into sentences.

Pang and Lee 2004, "A sentimental education: sentiment analysis using subjectivity summarization based on minimum cuts",
their polarity data set v2.0. Pre-tokenised, lower-cased. Results are published for its ten-fold cross-validation, whose
folds are in the numbers of the reviews: cv000 to cv099 are the first one. ``dataset.folds=9 dataset.fold=0`` to ``8``
are the nine of them that the file has; with another number of folds they are drawn.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

from attnlab.data.documents.reading import Keys, with_rows
from attnlab.data.labelled.corpus import Drawn, DrawnCorpus, public_files
from attnlab.data.reading import Faults, Malformed
from attnlab.data.splitting import Apart, Fold, Size
from attnlab.ranges import OneOrMore, PathText, Seed, ZeroOrMore

SOURCE = "www.cs.cornell.edu/people/pabo/movie-review-data (polarity data set v2.0; a JSON line a review, see docs)"
OF_A_FOLD = 100  # reviews of each class
CLASSES: Mapping[str, str] = {"neg": "negative", "pos": "positive"}


class Review(NamedTuple):
    """A review, its class, and the fold that it is in."""

    text: str
    label: str
    part: int

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,)


class MovieReviews(DrawnCorpus[Review]):
    """Reviews.

    Args:
        root: data folder; the file is ``movie_reviews/folds1-9.jsonl[.gz]`` in it.
        val_size: reviews (int) or share (float below 1) of train to choose checkpoints by.
        test_size: likewise, for test, where there are no folds.
        split_seed: of that draw, and of folds that are none of the published ones.
        fold: test this part, from 0, of a cross-validation.
        folds: in so many parts; 9 are the published ones.
        malformed: leave malformed lines out with a count, or stop at the first.
    """

    labelled = True
    apart: ClassVar[Apart] = "sentence"
    item: ClassVar[str] = "example"
    published: ClassVar[int | None] = 9

    def __init__(
        self,
        root: PathText,
        val_size: Size = 0.1,
        test_size: Size = 0.1,
        split_seed: Seed = 0,
        fold: ZeroOrMore | None = None,
        folds: OneOrMore | None = None,
        malformed: Malformed = "skip",
    ) -> None:
        drawn = Drawn(val_size, test_size, split_seed, Fold.of_settings(fold, folds))
        files = public_files(Path(root).expanduser() / "movie_reviews", {"train": "folds1-9.jsonl"})
        super().__init__("movie_reviews", files, reviews, drawn, malformed, source=SOURCE)


def reviews(path: Path, faults: Faults) -> Iterator[Review]:
    for row, found in with_rows(path, Keys(), "en", faults, CLASSES):
        number = str(row.get("id", ""))[2:5]
        if number.isdigit():
            yield Review(*found, int(number) // OF_A_FOLD)
        else:
            faults("no id such as cv000_29416, whose number says the fold", str(path))
