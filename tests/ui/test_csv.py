"""A list as a CSV file is complete, readable in Excel, and runs nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffroom.ui.csv import FORMULA_STARTS, csv_lines, csv_response, safe_cell


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_would_be_a_formula_is_defused(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", [-3, 2.5, None, "plain", ""])
def test_numbers_and_plain_text_stay_as_they_are(cell: object) -> None:
    assert safe_cell(cell) == cell


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_no_cell_that_was_typed_begins_a_formula(rows: list[list[str]]) -> None:
    text = "".join(csv_lines(["a", "=b"], rows)).removeprefix("\ufeff")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(FORMULA_STARTS)]
    assert len(cells) == 2 * (len(rows) + 1)


def test_rows_are_sent_as_they_are_made() -> None:
    asked: list[int] = []

    def rows() -> Iterator[list[object]]:
        for number in range(3):
            asked.append(number)
            yield [number, Decimal("1.5")]

    response = csv_response("my lessons.csv", ["n", "value"], rows())
    stream = iter(response)
    assert next(stream) == "\ufeffn,value\r\n".encode()
    assert asked == []
    assert next(stream) == b"0,1.5\r\n"
    assert response["Content-Disposition"] == 'attachment; filename="my_lessons.csv"'
