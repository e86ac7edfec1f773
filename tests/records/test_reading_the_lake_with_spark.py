"""The lake is read by Spark, by the lines of the page for hosts, and tells the same as our own reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from staffroom.knowing import frames
from staffroom.records import actions, lake
from staffroom.records.vocabulary import verbs
from tests import sparks
from tests.cast import Cast

PAGE = Path(__file__).resolve().parents[2] / "docs" / "hosts" / "lake.md"
pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.django_db]


@pytest.fixture
def java(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One small Spark in a Java of its own."""
    with sparks.java(monkeypatch, master="local[1]", partitions=1):
        yield


@pytest.fixture
def filled(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lake of three months: attendance with minutes, some voided; costs; results of two terms."""
    monkeypatch.setattr(lake, "folder", lambda: tmp_path / "lake")
    workshops = [
        actions.make_activity(by=cast.denise, organization=cast.district, name=name, kind="workshop")
        for name in ("Number talks", "Rich tasks")
    ]
    for number in range(60):
        entry = actions.record(
            by=(cast.amara, cast.tom, cast.ben)[number % 3], verb=verbs.ATTENDED, object=workshops[number % 2],
            duration_s=600 + 7 * number, happened_at=datetime(2025, 9 + number % 3, 1 + number % 28, 15, tzinfo=UTC),
        )  # fmt: skip
        if number % 10 == 0:
            actions.void_statement(by=cast.omar, statement=entry)
    instrument = actions.make_instrument(by=cast.denise, organization=cast.district, name="District math", kind="test")
    for number, name in enumerate(("leo", "mia", "noah", "zoe")):
        for term in (cast.term, cast.next_term):
            result = actions.Result(
                subject="student", term_id=term.pk, person_id=cast.people[name].pk, teacher_id=cast.amara.pk,
                school_id=cast.alder.pk, value=61.25 + number / 3,
            )  # fmt: skip
            actions.record_outcome(by=cast.denise, instrument=instrument, result=result)
    for number in range(5):
        actions.record_cost(
            by=cast.denise, activity=workshops[0], ingredient=f"Room {number}", kind="room", quantity=1, unit="day", price_year=2026,
            unit_price_usd_cents=12_345 + number, happened_on=datetime(2025, 9, 3, tzinfo=UTC).date(),
        )  # fmt: skip
    lake.refresh()


def ours(ledger: str, by: tuple[str, ...], **sums: Any) -> list[tuple[Any, ...]]:
    table = frames._ledger(ledger)
    told = table.group_by(*by).aggregate(**{name: make(table) for name, make in sums.items()}).to_pyarrow().to_pylist()
    return sorted(tuple(row[name] for name in (*by, *sums)) for row in told)


def theirs(found: Any, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row[name] for name in columns) for row in found.collect())


def test_spark_tells_what_our_own_reader_tells(filled: None, java: None, capfd: pytest.CaptureFixture[str]) -> None:
    lines = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S))
    assert "/home/staffroom/.staffroom/lake" in lines
    said: dict[str, Any] = {}
    exec(lines.replace("/home/staffroom/.staffroom/lake", str(lake.folder())), said)

    by_month = ours(
        "activity", ("activity_key",),
        entries=lambda t: t.count(), people=lambda t: t.actor_key.nunique(), seconds=lambda t: t.duration_s.sum(),
    )  # fmt: skip
    assert sum(row[1] for row in by_month) == 54, "voided entries are not in the lake"
    functions = said["functions"]
    again = said["activity"].groupBy("activity_key").agg(
        functions.count("*").alias("entries"), functions.countDistinct("actor_key").alias("people"),
        functions.sum("duration_s").alias("seconds"),
    )  # fmt: skip
    assert theirs(again, "activity_key", "entries", "people", "seconds") == by_month
    hours = theirs(said["hours"], "month", "entries", "hours")
    assert sorted({str(month)[:7] for month, _entries, _hours in hours}) == ["2025-09", "2025-10", "2025-11"]
    assert sum(entries for _month, entries, _hours in hours) == 54
    assert sum(told for _month, _entries, told in hours) * 3600 == pytest.approx(sum(row[3] for row in by_month))

    assert theirs(said["spent"], "activity_key", "kind", "cents") == ours(
        "cost", ("activity_key", "kind"), cents=lambda t: t.amount_usd_cents.sum()
    )
    means = theirs(said["means"], "term_id", "results", "mean")
    expected = ours("outcome", ("term_id",), results=lambda t: t.count(), mean=lambda t: t.value.mean())
    assert [row[:2] for row in means] == [row[:2] for row in expected]
    assert [row[2] for row in means] == pytest.approx([row[2] for row in expected], rel=1e-12)
