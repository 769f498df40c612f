"""A folder with the parts of a paper, and a page that puts them together: it takes ``pdflatex paper`` (twice)."""

import re
from pathlib import Path

from attnlab.analysis.comparison import Comparison
from attnlab.analysis.latex import Room, breakable, escaped, latex_table, one_line
from attnlab.analysis.paper.cards import data_tables
from attnlab.analysis.paper.citations import Citations
from attnlab.analysis.paper.figures import write_figures
from attnlab.analysis.paper.method import method
from attnlab.analysis.paper.results import results
from attnlab.analysis.paper.settings import settings_tables
from attnlab.analysis.report.tables import Table, opening
from attnlab.atomic import write_text
from attnlab.errors import ConfigError
from attnlab.viz.widths import inches

FIGURES = "figures"
PARTS = ("method.tex", "data.tex", "results.tex", "conclusions.tex", "figures.tex", "settings.tex")
FILES = (*PARTS, "references.bib", "paper.bbl", "paper.tex")
BETWEEN, INCH = 0.6, 2.54  # cm
ALONE = 9.2  # cm of a column, above which there is one a page
LEAST, MOST = 5.0, 19.0  # cm of a column: letters that can be read, a sheet that holds it
NO_CARD = "These runs left no data card.\n"


def write_paper(comparison: Comparison, folder: Path, width: str) -> list[Path]:
    """Write figures, tables, the paragraph about the method, references, and the page.

    Args:
        comparison: what is told.
        folder: where; missing folders are made.
        width: of a column: ``8.4cm``.

    Returns:
        The files, the page first.

    Raises:
        ConfigError: the width is none.
    """
    room = room_of(width)
    cited = Citations()
    figures = write_figures(comparison, folder / FIGURES, room)
    tables = data_tables(comparison)
    texts = {
        "method.tex": method(comparison, cited),
        "data.tex": "\n".join(latex_table(table, room) for table in tables) or NO_CARD,
        "results.tex": "\n".join(
            latex_table(table, room, sources(table, comparison, cited)) for table in results(comparison)
        ),
        "conclusions.tex": conclusions(comparison),
        "figures.tex": "\n".join(figure.latex for figure in figures),
        "settings.tex": "\n".join(settings_tables(comparison)),
        "paper.tex": page(comparison, room),
    }
    head = f"% {one_line(comparison.command)}\n% Made anew each time: \\input it, and change it there.\n"
    for name, text in texts.items():
        write_text(folder / name, head + text)
    write_text(folder / "references.bib", cited.bib())
    write_text(folder / "paper.bbl", cited.bbl())
    return [*(folder / name for name in reversed(FILES)), *(path for figure in figures for path in figure.files)]


def room_of(width: str) -> Room:
    """Of a page with two columns, or with one that is wide.

    Raises:
        ConfigError: it is no width, or no column's.
    """
    column = round(INCH * inches(width), 3)
    if not LEAST <= column <= MOST:
        raise ConfigError(f"width={width}: expected the width of a column, from {LEAST:g}cm to {MOST:g}cm")
    return Room(column, column if column > ALONE else round(2 * column + BETWEEN, 3))


def sources(table: Table, comparison: Comparison, cited: Citations) -> str:
    """Citations of what a table shows beside."""
    if not any(column.published for column in table.columns):
        return ""
    return cited.named(*(source.cite for source in comparison.published.sources))


def page(comparison: Comparison, room: Room) -> str:
    columns = "" if room.column == room.text else ",twocolumn"
    many = len(comparison.configurations)
    task = comparison.configurations[0].runs[0].contents.task
    title = f"{opening(task)}: {comparison.quantity.title} of {many} configuration{'s' * (many != 1)}"
    values = {"columns": columns, "text": f"{room.text:g}", "between": f"{BETWEEN:g}", "title": escaped(title)}
    return re.sub(r"@(\w+)@", lambda found: values[found[1]], PAGE)


def conclusions(comparison: Comparison) -> str:
    """What is not alike, the verdicts, and what a reader must know, each an item of a list."""
    pairs = comparison.against_baseline or comparison.all_pairs
    lines = [f"\\textbf{{{breakable(line)}}}" for line in comparison.unequal]
    lines += [f"{breakable(opening(pair.verdict))}." for pair in pairs] + [breakable(note) for note in comparison.notes]
    if not lines:
        return "There is one configuration, and nothing to hold it against.\n"
    return "\n".join([r"\begin{itemize}", *(f"  \\item {line}" for line in lines), "\\end{itemize}\n"])


PAGE = r"""% pdflatex paper && pdflatex paper
\documentclass[10pt,a4paper@columns@]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{\usepackage{mathptmx}}
\usepackage{textcomp,array,booktabs,graphicx}
\usepackage[textwidth=@text@cm,top=2.2cm,bottom=2.4cm]{geometry}
\setlength{\columnsep}{@between@cm}
\renewcommand{\topfraction}{0.9}
\renewcommand{\dbltopfraction}{0.9}
\renewcommand{\textfraction}{0.05}
\setcounter{topnumber}{4}
\setcounter{dbltopnumber}{4}
\setcounter{totalnumber}{8}
\setlength{\abovecaptionskip}{5pt}
\setlength{\belowcaptionskip}{5pt}
\makeatletter % a page of floats begins at its top, and they stand close
\setlength{\@fptop}{0pt}
\setlength{\@fpsep}{16pt}
\setlength{\@dblfptop}{0pt}
\setlength{\@dblfpsep}{16pt}
\makeatother
\emergencystretch=2em
\title{@title@}
\author{}
\date{}
\begin{document}
\maketitle
\section{Method}
\input{method}
\input{data}
\section{Results}
\input{results}
\input{conclusions}
\input{figures}
\section{Settings}
\input{settings}
\bibliographystyle{plain}
\bibliography{references}
\end{document}
"""
