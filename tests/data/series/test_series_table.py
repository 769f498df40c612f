"""Tables of numbers from CSV files, and what is told of those that cannot be used."""

import gzip

import numpy as np
import pytest

from attnlab.data.series.table import read_table
from attnlab.errors import DataError


def written(tmp_path, text, name="my.csv"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_columns_by_name_in_the_order_that_is_asked_for(tmp_path, mark):
    text = "time,load,price\nmonday,1,2.5\ntuesday,-3,4e1\n\n".replace(",", mark)
    found = read_table(written(tmp_path, text), wanted=["price", "load"])
    assert found.names == ("price", "load")
    np.testing.assert_array_equal(found.values, [[2.5, 1], [40, -3]])


def test_packed_and_quoted(tmp_path):
    path = tmp_path / "my.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write('\ufeff"a b","c"\n"1","2"\n')
    assert read_table(path).names == ("a b", "c")


def test_a_gap_is_filled_with_what_came_before(tmp_path):
    path = written(tmp_path, "a,b\n1,2\n,3\nNaN,\n4,5\n")
    np.testing.assert_array_equal(read_table(path, "previous").values, [[1, 2], [1, 3], [1, 3], [4, 5]])
    with pytest.raises(
        DataError, match=r"3 numbers are missing, the first in row 2 of column 'a'; set dataset.missing"
    ):
        read_table(path)


def test_an_empty_line_of_a_single_column_is_a_gap(tmp_path):
    path = written(tmp_path, "a\n1\n\n\n4\n\n")
    np.testing.assert_array_equal(read_table(path, "previous").values, [[1], [1], [1], [4]])
    with pytest.raises(DataError, match="2 numbers are missing, the first in row 2 of column 'a'"):
        read_table(path)
    np.testing.assert_array_equal(read_table(written(tmp_path, "a,b\n1,2\n\n3,4\n")).values, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,x\n", "my.csv:2: column 'b' has 'x', expected a number"),
        ("a,b\n1,inf\n", "my.csv:2: column 'b' has 'inf', expected a number"),
        ("a,b\n1,2\n1\n", "my.csv:3: 1 cells, and the first line has 2"),
        ("1,2\n3,4\n", "the first line is '1, 2'; expected the names of the columns"),
        ("a,a\n3,4\n", "two columns are called 'a'"),
        ("a,b\n", "no row of numbers below the first line"),
        ("a,b\n,1\n2,3\n", "there is none before it; leave the first rows out"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, told):
    with pytest.raises(DataError) as caught:
        read_table(written(tmp_path, text), "previous")
    assert told in str(caught.value)


def test_a_missing_column_is_told_with_those_there_are(tmp_path):
    with pytest.raises(DataError, match="there is no column 'demand'; the first line has a, b"):
        read_table(written(tmp_path, "a,b\n1,2\n"), wanted=["demand"])
