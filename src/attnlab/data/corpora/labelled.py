r"""One's own labelled texts: TSV, CSV, JSON lines, or ``LABEL text``; plain or gzip, UTF-8.

    python train.py dataset=labelled dataset.train=reviews.csv
    python train.py dataset=labelled dataset.train=my.tsv dataset.columns=[1,0] dataset.test=other.tsv
    python train.py dataset=labelled dataset.train=my.jsonl dataset.columns=[review,stars]

Val and test that are not named are held out from train.
"""

from functools import partial
from pathlib import Path

from attnlab.data.labelled.corpus import Drawn, Examples, LabelledCorpus, check_fold, named_files
from attnlab.data.labelled.labels import readable
from attnlab.data.labelled.reading import SUFFIXES, Columns, Format, Names, json_lines, prefixed, separated
from attnlab.data.labelled.tables import format_of
from attnlab.data.reading import Faults, Malformed, named_file
from attnlab.data.splitting import Fold, Size
from attnlab.ranges import OneOrMore, PathText, Seed, ZeroOrMore


class Labelled(LabelledCorpus):
    """Texts with a class each.

    Args:
        root: folder that file names are looked up in where they are not found from the current folder;
            ``.gz`` at the end of a name may be left out.
        train: a file; null where only val or test is read.
        val: likewise; null: held out from train.
        test: likewise; null: held out from train.
        format: ``tsv``, ``csv``, ``jsonl`` or ``prefixed`` (``LABEL text``); null: by the end of the name (.txt is
            ``prefixed``).
        columns: of text and label: names, which the first line then has, or numbers from 0; of JSON lines the keys.
        header: skip the first line of a table whose columns are numbers.
        quoted: whether fields of a table may be quoted; null: in CSV, and not in TSV.
        labels: readable names of labels, such as ``{"0":negative,"1":positive}``; null: the labels themselves.
        val_size: texts (int) or share (float below 1) to hold out, at most; read where ``val`` is null.
        test_size: likewise.
        split_seed: of that draw, and of the folds.
        fold: test this part of train, from 0, of a cross-validation.
        folds: in so many parts.
        malformed: leave malformed lines out with a count, or stop at the first.
    """

    def __init__(
        self,
        root: PathText,
        train: PathText | None = None,
        val: PathText | None = None,
        test: PathText | None = None,
        format: Format | None = None,
        columns: list[ZeroOrMore | str] | None = None,
        header: bool = False,
        quoted: bool | None = None,
        labels: dict[str | int | bool, str] | None = None,
        val_size: Size = 0.1,
        test_size: Size = 0.1,
        split_seed: Seed = 0,
        fold: ZeroOrMore | None = None,
        folds: OneOrMore | None = None,
        malformed: Malformed = "skip",
    ) -> None:
        self._root = Path(root).expanduser()
        files = named_files("labelled", "my.tsv (or .csv, .jsonl)", train=train, val=val, test=test)
        cut = Fold.of_settings(fold, folds)
        check_fold(cut, files)
        wanted = Columns() if columns is None else Columns.of_setting(columns)
        names = None if labels is None else readable(labels)
        reader = partial(read, format, wanted, header, quoted, names)
        settings = {"format": format, "columns": wanted, "header": header, "quoted": quoted, "labels": names}
        super().__init__("labelled", files, reader, Drawn(val_size, test_size, split_seed, cut), malformed, settings)

    def path(self, split: str) -> Path:
        return named_file(str(self.files[split]), self._root)


def read(
    form: Format | None,
    columns: Columns,
    header: bool,
    quoted: bool | None,
    names: Names,
    path: Path,
    faults: Faults,
) -> Examples:
    kind = form or format_of(path, SUFFIXES)
    if kind == "prefixed":
        return prefixed(path, faults, names, said=form is not None)
    if kind == "jsonl":
        return json_lines(path, columns, faults, names)
    marks = kind == "csv" if quoted is None else quoted
    delimiter = "," if kind == "csv" else "\t"
    return separated(path, columns, faults, delimiter=delimiter, quoted=marks, header=header, names=names)
