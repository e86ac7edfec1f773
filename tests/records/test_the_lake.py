"""The ledgers as Parquet: complete, by month, the same bytes every time, and following what is voided or erased."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pyarrow import parquet

from staffroom.people import personal
from staffroom.records import actions, lake
from staffroom.records.append_only import LakeMark
from staffroom.records.models import Activity, Instrument, LakePart, Outcome, Statement
from staffroom.records.vocabulary import verbs
from tests.cast import Cast


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake, "folder", lambda: tmp_path / "lake")


@pytest.fixture
def workshop(cast: Cast) -> Activity:
    return actions.make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="workshop")


@pytest.fixture
def instrument(cast: Cast) -> Instrument:
    return actions.make_instrument(by=cast.denise, organization=cast.district, name="District math", kind="test")


def attend(cast: Cast, workshop: Activity, month: int, name: str = "amara") -> Statement:
    return actions.record(
        by=cast.people[name],
        verb=verbs.ATTENDED,
        object=workshop,
        duration_s=3600,
        happened_at=datetime(2026, month, 9, 15, tzinfo=UTC),
    )


def score(
    cast: Cast, instrument: Instrument, value: float, term: Any, name: str = "leo", *, corrects: bool = False
) -> None:
    result = actions.Result(
        subject="student", term_id=term.pk, person_id=cast.people[name].pk, teacher_id=cast.amara.pk, school_id=cast.alder.pk,
        value=value,
    )  # fmt: skip
    actions.record_outcome(by=cast.denise, instrument=instrument, result=result, corrects=corrects)


def rows(ledger: str) -> list[dict[str, Any]]:
    folder = lake.folder() / ledger
    return [
        row for path in sorted(folder.glob("month=*/*.parquet")) for row in parquet.ParquetFile(path).read().to_pylist()
    ]


def hashes() -> dict[str, str]:
    files = sorted(lake.folder().rglob("*.parquet"))
    return {path.relative_to(lake.folder()).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_each_ledger_stands_by_month(cast: Cast, workshop: Activity, instrument: Instrument) -> None:
    actions.add_price(
        by=cast.denise, organization=cast.district, kind="wage", name="Teacher", role="teacher", unit="hour",
        unit_price_usd_cents=4000, benefits_percent=Decimal(25), price_year=2026,
    )  # fmt: skip
    attend(cast, workshop, 9)
    attend(cast, workshop, 10)
    score(cast, instrument, 61.5, cast.term)
    lake.refresh()
    assert sorted(hashes()) == [
        "activity/month=2026-09/part-0.parquet", "activity/month=2026-10/part-0.parquet",
        "cost/month=2026-09/part-0.parquet", "cost/month=2026-10/part-0.parquet",
        "outcome/month=2026-08/part-0.parquet",
    ]  # fmt: skip
    first = rows("activity")[0]
    assert first | {
        "actor_key": str(cast.amara.key), "role": "teacher", "activity_key": str(workshop.key), "duration_s": 3600,
        "school_key": str(cast.alder.key), "district_key": str(cast.district.key), "term_id": cast.term.pk, "term_ordinal": 0,
    } == first  # fmt: skip
    (outcome,) = rows("outcome")
    assert outcome | {
        "value": 61.5, "prior": None, "student_key": str(cast.leo.key), "teacher_key": str(cast.amara.key), "term_ordinal": 0,
        "instrument_key": str(instrument.key), "term_begins_on": cast.term.begins_on,
    } == outcome  # fmt: skip
    cost = rows("cost")[0]
    assert (cost["amount_usd_cents"], cost["quantity"], cost["statement_key"]) == (5000, Decimal(1), first["key"])


def test_only_months_with_new_entries_are_written(cast: Cast, workshop: Activity) -> None:
    attend(cast, workshop, 9)
    lake.refresh()
    before = hashes()
    assert lake.refresh() == 0
    attend(cast, workshop, 10)
    assert lake.refresh() == 1
    assert hashes() | before == hashes()
    assert len(hashes()) == 2


def marks() -> list[tuple[str, str]]:
    return [(mark.ledger, f"{mark.month:%Y-%m}") for mark in LakeMark.objects.order_by("pk")]


def test_a_written_month_is_left_alone_however_fresh_it_is(
    cast: Cast, workshop: Activity, monkeypatch: pytest.MonkeyPatch
) -> None:
    attend(cast, workshop, 9)
    lake.refresh()
    asked: list[Any] = []
    monkeypatch.setattr(lake, "_write_month", lambda *month: asked.append(month) or 0)
    lake.refresh()
    assert asked == []
    assert marks() == []


def test_what_is_committed_while_a_month_is_written_is_written_next_time(
    cast: Cast, workshop: Activity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The month was read before the other entry could be seen; its mark was not there to be removed, so it stays."""
    attend(cast, workshop, 9)
    write = lake.write_file

    def slowly(*month: Any) -> int:
        rows_written = write(*month)
        attend(cast, workshop, 9, "tom")
        return rows_written

    monkeypatch.setattr(lake, "write_file", slowly)
    lake.refresh()
    monkeypatch.setattr(lake, "write_file", write)
    assert len(rows("activity")) == 1
    assert ("activity", "2026-09") in marks()
    lake.refresh()
    assert len(rows("activity")) == 2


def test_neither_the_clock_nor_the_number_of_rows_decides(cast: Cast, workshop: Activity) -> None:
    """A transaction of hours: its entry was stored long ago, with a lower number than the last, and another is voided with it."""
    first = attend(cast, workshop, 9)
    early = {field.attname: getattr(first, field.attname) for field in Statement._meta.concrete_fields}
    lake.refresh()
    key, stored = uuid.uuid4(), timezone.now() - timedelta(hours=5)
    late = Statement(**{**early, "id": first.pk + 1000, "key": key, "stored_at": stored, "actor_id": cast.tom.pk})
    late.save(force_insert=True)
    actions.void_statement(by=cast.amara, statement=first)
    lake.refresh()
    assert [row["key"] for row in rows("activity")] == [str(key)]


def test_every_door_of_a_ledger_leaves_its_mark(cast: Cast, workshop: Activity, instrument: Instrument) -> None:
    score(cast, instrument, 50, cast.term)
    deeds = [
        actions.Deed(
            by=cast.amara, verb=verbs.ATTENDED, object=workshop, happened_at=datetime(2026, 3, day, tzinfo=UTC)
        )
        for day in (2, 3)
    ]
    actions.record_statements(deeds)
    entry = attend(cast, workshop, 7)
    assert marks() == [("outcome", "2026-08"), ("activity", "2026-03"), ("activity", "2026-07")]
    lake.refresh()
    score(cast, instrument, 51, cast.term, corrects=True)
    actions.void_statement(by=cast.amara, statement=entry)
    assert set(marks()) == {("outcome", "2026-08"), ("activity", "2026-07")}


def test_a_change_that_is_taken_back_leaves_no_mark(cast: Cast, workshop: Activity) -> None:
    lake.refresh()
    with transaction.atomic():
        attend(cast, workshop, 7)
        transaction.set_rollback(True)
    assert marks() == []


def test_a_file_that_is_gone_is_written_again(cast: Cast, workshop: Activity) -> None:
    attend(cast, workshop, 9)
    lake.refresh()
    before = hashes()
    for path in lake.folder().rglob("*.parquet"):
        path.unlink()
    lake.refresh()
    assert hashes() == before


def test_a_rebuilt_lake_has_the_same_bytes(cast: Cast, workshop: Activity, instrument: Instrument) -> None:
    for month in (9, 10, 8, 9):
        attend(cast, workshop, month)
        lake.refresh()
    score(cast, instrument, 50, cast.term)
    lake.refresh()
    score(cast, instrument, 55, cast.next_term)
    lake.refresh()
    grown = hashes()
    lake.rebuild()
    assert hashes() == grown
    assert {part.path: part.sha256 for part in LakePart.objects.all()} == grown


def test_voiding_takes_out_and_a_month_without_entries_goes(cast: Cast, workshop: Activity) -> None:
    kept, wrong = attend(cast, workshop, 9), attend(cast, workshop, 9)
    alone = attend(cast, workshop, 10)
    lake.refresh()
    actions.void_statement(by=cast.amara, statement=wrong)
    actions.void_statement(by=cast.amara, statement=alone)
    lake.refresh()
    assert [row["key"] for row in rows("activity")] == [str(kept.key)]


def test_a_correction_reaches_the_prior_of_the_next_term(cast: Cast, instrument: Instrument) -> None:
    score(cast, instrument, 50, cast.term)
    score(cast, instrument, 60, cast.next_term)
    lake.refresh()
    assert [(row["value"], row["prior"]) for row in rows("outcome")] == [(50, None), (60, 50)]
    score(cast, instrument, 52, cast.term, corrects=True)
    lake.refresh()
    assert [(row["value"], row["prior"]) for row in rows("outcome")] == [(52, None), (60, 52)]


def test_evaluation_is_not_in_the_lake(cast: Cast) -> None:
    rating = actions.make_instrument(
        by=cast.denise, organization=cast.district, name="Annual rating", kind="rubric", is_evaluation=True
    )
    score(cast, rating, 3, cast.term)
    lake.refresh()
    assert rows("outcome") == []


def test_erasure_rewrites_the_months_of_the_person(cast: Cast, workshop: Activity, instrument: Instrument) -> None:
    attend(cast, workshop, 9)
    attend(cast, workshop, 9, "tom")
    score(cast, instrument, 50, cast.term)
    lake.refresh()
    for person in (cast.amara, cast.leo):
        for model in (Statement, Outcome):
            declaration = personal.declaration_of(model)
            assert declaration is not None
            declaration.erase(model._default_manager.filter(declaration.about(person)), person)
    lake.refresh()
    assert [row["actor_key"] for row in rows("activity")] == [None, str(cast.tom.key)] or [
        row["actor_key"] for row in rows("activity")
    ] == [str(cast.tom.key), None]
    assert [(row["student_key"], row["teacher_key"], row["value"]) for row in rows("outcome")] == [(None, None, 50)]
    everything = b"".join(path.read_bytes() for path in lake.folder().rglob("*.parquet"))
    assert str(cast.amara.key).encode() not in everything


def test_months_are_those_of_utc(cast: Cast, workshop: Activity) -> None:
    actions.record(
        by=cast.amara, verb=verbs.ATTENDED, object=workshop, happened_at=datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC)
    )
    lake.refresh()
    assert LakePart.objects.get().month == date(2026, 9, 1)
