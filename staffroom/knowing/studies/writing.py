"""Everything about a study into a new folder: result.json, tables as CSV, pictures as SVG and PNG, and a printable report.

The folder appears whole or not at all: it is written beside its place under another name, and renamed at the end.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from staffroom.knowing import pictures
from staffroom.knowing.studies import Refused, telling
from staffroom.knowing.studies.running import Found

EFFECT = ("raw", "raw_se", "sd", "se", "low", "high", "p", "df")
SIZE = ("results", "students", "teachers", "schools")


def write(found: Found, result: Mapping[str, Any], folder: Path) -> None:
    """Write it all. Refused if the folder exists and is not empty, or cannot be written."""
    folder = folder.expanduser().absolute()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Refused(f"{folder} exists already and is not empty; name a new folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise Refused(f"{folder}: {error.strerror or error}") from None
    try:
        beside.chmod(0o755)
        _fill(found, result, beside)
        os.replace(beside, folder)
    except OSError as error:
        raise Refused(f"{folder}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _fill(found: Found, result: Mapping[str, Any], folder: Path) -> None:
    (folder / "result.json").write_text(telling.as_text(result), encoding="utf-8")
    if "studies" not in result:
        _one(result, str(result["study"]["name"]), folder)
        return
    taken = set[str]()
    for one in result["studies"]:
        name = _slug(one["activity"], taken)
        (folder / name).mkdir()
        _one(one, one["activity"], folder / name)
    rows = [
        [one["activity"], *(one["effect"].get(key) for key in EFFECT), one["tier"], one["estimator"]]
        for one in result["studies"]
    ]
    _table(folder / "activities.csv", ["activity", *EFFECT, "tier", "estimator"], rows)


def _one(answer: Mapping[str, Any], title: str, folder: Path) -> None:
    """The files of one answer."""
    _table(folder / "effects.csv", ["line", "event_time", "group", "term", *EFFECT, *SIZE, "hidden"], _lines(answer))
    keys = ("name", "passed", "value", "limit", "ceiling", "sentence")
    _table(folder / "checks.csv", list(keys), [[gate[key] for key in keys] for gate in answer["gates"]])
    for name, table in pictures.tables(answer).items():
        if table:
            _table(folder / f"{name}.csv", list(table[0]), table[1:])
    for name, svg in pictures.svgs(answer, title=title).items():
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
        (folder / f"{name}.png").write_bytes(pictures.png(svg))
    (folder / "report.html").write_text(pictures.report(answer, title=title), encoding="utf-8")


def _lines(answer: Mapping[str, Any]) -> list[list[Any]]:
    """The headline, event times, groups and terms, and sites, each with its effect and size."""
    listed = [("overall", {"effect": answer["effect"], "n": answer["n"]})]
    listed += [("event time", line) for line in answer["by_event_time"]]
    listed += [("group and term", line) for line in answer["by_group_time"]]
    listed += [("site", line) for line in answer["replicability"].get("by_site") or ()]
    listed += [("subgroup", line) for line in answer.get("by_subgroup") or ()]
    return [
        [what, *(line.get(key) for key in ("event_time", "group", "term")), *(line["effect"].get(key) for key in EFFECT),
         *(line["n"].get(key) for key in SIZE), bool(line.get("hidden"))]
        for what, line in listed
    ]  # fmt: skip


def _table(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(_cell, header))
    writer.writerows([_cell(value) for value in row] for row in rows)
    path.write_bytes(text.getvalue().encode("utf-8"))


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe; numbers stay numbers."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(value):
        return "'" + value
    return "" if value is None else value


def _is_number(text: str) -> bool:
    try:
        float(text.replace("−", "-"))
    except ValueError:
        return False
    return True


def _slug(name: str, taken: set[str]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "activity"
    slug, number = plain, 1
    while slug in taken:
        number += 1
        slug = f"{plain}-{number}"
    taken.add(slug)
    return slug
