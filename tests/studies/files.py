"""Files as schools have them, made up for the tests: a panel, a lottery, a rule with a cutoff, ratings."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from staffroom.cli import main

HEAD = ("student", "teacher", "school", "term", "first", "score")
COLUMNS = {
    "student": "student", "teacher": "teacher", "school": "school", "term": "term", "first_treated": "first", "score": "score",
}  # fmt: skip


def panel(teachers: int = 60, terms: int = 5, students: int = 4, schools: int = 12, seed: int = 1) -> list[list[Any]]:
    """Rows of students over years from 2001 on; two thirds of the teachers start in 2003 or 2004, the others never (0)."""
    rng = np.random.default_rng(seed)
    rows: list[list[Any]] = []
    for teacher in range(teachers):
        first = (0, 2003, 2004)[teacher % 3]
        for year in range(2001, 2001 + terms):
            for student in range(students):
                score = 50 + teacher % 7 + year % 3 + rng.normal() + (0.5 if first and year >= first else 0)
                rows.append(
                    [f"s{teacher}-{student}", f"T{teacher}", f"C{teacher % schools}", year, first, round(score, 3)]
                )
    return rows


def as_csv(rows: Iterable[Sequence[Any]], head: Sequence[str] = HEAD, *, sep: str = ",", point: str = ".") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=sep, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([str(value).replace(".", point) if isinstance(value, float) else value for value in row])
    return text.getvalue()


def study(
    folder: Path,
    *,
    data: dict[str, str],
    columns: dict[str, Any] | None = None,
    name: str = "study.toml",
    **tables: dict[str, Any],
) -> Path:
    """A TOML file of the four tables. Fake activities are not tried unless a test asks for them: they take a second."""
    tables["estimate"] = {"calibrate": 0, **tables.get("estimate", {})}
    whole = {"data": data, "columns": COLUMNS if columns is None else columns, **tables}
    text = ""
    for table, content in whole.items():
        text += f"[{table}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in content.items())
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value + "'"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return repr(value)


def said(*words: object) -> tuple[int, str, str]:
    """What `staffroom study …` returns, prints and complains of, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["study", *map(str, words)])
    return code, out.getvalue(), err.getvalue()
