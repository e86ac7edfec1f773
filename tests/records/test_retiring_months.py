"""Months that the ledger no longer keeps: in the lake first, then gone, and everything says so instead of breaking."""

from __future__ import annotations

import shutil
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.urls import reverse
from pyarrow import parquet
from pytest_django import Settings

from staffroom.exchange.actions import crediting
from staffroom.jobs.actions import run_waiting
from staffroom.knowing import frames
from staffroom.permissions.actions import erase
from staffroom.records import actions, lake, lake_kept, months, ordering, retired
from staffroom.records.actions import appending, retiring
from staffroom.records.models import Activity, Cost, Mention, RetiredMonth, Statement, StatementKey
from staffroom.records.vocabulary import verbs
from tests.cast import Cast
from tests.exchange.knocking import COURSE, ToolAtTheDoor, statement

pytestmark = pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="PostgreSQL: tests/hosting/test_months_of_the_ledger.py"
)
OLD, NOW = months.later(months.this_month(), -14), months.this_month()


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(lake, "folder", lambda: tmp_path / "lake")
    monkeypatch.setenv("STAFFROOM_LEDGER_MONTHS", "12")
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "files")},
        },
    }


@pytest.fixture
def workshop(cast: Cast) -> Activity:
    actions.add_price(
        by=cast.denise, organization=cast.district, kind="wage", name="Teacher", role="teacher", unit="hour",
        unit_price_usd_cents=4000, price_year=OLD.year,
    )  # fmt: skip
    return actions.make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="workshop")


def attend(cast: Cast, workshop: Activity, month: date, name: str = "amara") -> Statement:
    return actions.record(
        by=cast.people[name], verb=verbs.ATTENDED, object=workshop, duration_s=3600,
        happened_at=datetime(month.year, month.month, 1, 0, 0, tzinfo=UTC),
    )  # fmt: skip


def in_lake() -> list[dict[str, Any]]:
    files = sorted((lake.folder() / "activity").glob("month=*/*.parquet"))
    found = [row for path in files for row in parquet.ParquetFile(path).read().to_pylist()]
    return sorted(found, key=lambda row: str(row["key"]))


@pytest.fixture
def history(cast: Cast, workshop: Activity, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Entries of fourteen months ago, one of today about that time, and one of today."""
    tool = ToolAtTheDoor(cast.district)
    with monkeypatch.context() as past:
        numbers = iter(range(months.range_of(OLD)[0] + 5, months.range_of(OLD)[1], 5000))

        def take(count: int) -> tuple[range, datetime]:
            first = next(numbers)
            return range(first, first + count), ordering.stored_at(first)

        past.setattr(appending, "take_numbers", take)
        old = attend(cast, workshop, OLD)
        theirs = attend(cast, workshop, OLD, "tom")
        (told,) = tool.post(statement(id=str(uuid.uuid4())))
    late = attend(cast, workshop, OLD, "tom")
    new = attend(cast, workshop, NOW)
    lake.refresh()
    return {"tool": tool, "old": old, "theirs": theirs, "told": told, "late": late, "new": new}


def test_old_months_go_into_the_lake_and_out_of_the_ledger(
    cast: Cast, workshop: Activity, history: dict[str, Any]
) -> None:
    before, costs = in_lake(), Cost.objects.count()
    hours = frames.participation(cast.district.path, str(workshop.key)).to_pylist()
    assert len(before) >= 5
    assert retiring.retire_months() == 14 - 12
    row = RetiredMonth.objects.get(month=OLD)
    assert (row.entries, row.gone_at is not None) == (3, True)
    gone = {history["old"].pk, history["theirs"].pk}
    assert not Statement.objects.filter(pk__in=gone).exists()
    assert Statement.objects.filter(pk__in=[history["late"].pk, history["new"].pk]).count() == 2
    first = months.range_of(retired.kept_since())[0]
    assert not StatementKey.objects.filter(entry__lt=first).exists()
    assert not Mention.objects.filter(entry__lt=first).exists()
    assert in_lake() == before
    assert sorted(map(str, frames.participation(cast.district.path, str(workshop.key)).to_pylist())) == sorted(
        map(str, hours)
    )
    assert Cost.objects.count() == costs
    lake.rebuild()
    assert in_lake() == before
    assert retiring.retire_months() == 0
    assert connection.check_constraints() is None


def test_nothing_goes_that_the_lake_does_not_hold(history: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake, "write_file", lambda ledger, entries, places, path: path.write_bytes(b"") or 1)
    count = Statement.objects.count()
    with pytest.raises(lake_kept.NotKept):
        retiring.retire_months()
    assert Statement.objects.count() == count
    assert not RetiredMonth.objects.exclude(gone_at=None).exists()


def test_without_the_option_everything_is_kept(history: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAFFROOM_LEDGER_MONTHS", "0")
    count = Statement.objects.count()
    assert retiring.retire_months() == 0
    assert Statement.objects.count() == count


def test_a_restored_lake_gets_back_what_the_ledger_no_longer_has(history: dict[str, Any]) -> None:
    retiring.retire_months()
    before = in_lake()
    shutil.rmtree(lake.folder())
    lake.refresh()
    assert in_lake() == before


def test_the_door_and_the_pages_say_so(cast: Cast, workshop: Activity, history: dict[str, Any], client: Client) -> None:
    tool, told = history["tool"], history["told"]
    assert tool.get(statementId=told).status_code == 200
    retiring.retire_months()
    since = retired.kept_since()
    answer = tool.get(statementId=told)
    assert answer.status_code == 404
    assert f"{since:%Y-%m}" in answer.json()["detail"]
    assert told not in str(tool.get(activity=COURSE).json())
    client.force_login(cast.denise)
    pages = (("records:entries",), ("records:activity", workshop.key), ("impact:entries", workshop.slug))
    for page in (reverse(name, args=values) for name, *values in pages):
        shown = client.get(page)
        assert shown.status_code == 200, page
        assert f"kept since {since:%B %Y}" in shown.content.decode(), page
    # The id is free: what is sent once more is heard as if for the first time, and can be voided.
    assert tool.post(statement(id=told)) == [told]
    assert tool.get(statementId=told).status_code == 200


def test_a_closed_month_is_not_changed_any_more(cast: Cast, history: dict[str, Any]) -> None:
    RetiredMonth.objects.create(month=OLD)
    with pytest.raises(ValidationError):
        actions.void_statement(by=cast.amara, statement=history["old"])
    tool = history["tool"]
    tool.post(statement(
        verb={"id": "http://adlnet.gov/expapi/verbs/voided"}, object={"objectType": "StatementRef", "id": history["told"]}
    ))  # fmt: skip
    assert tool.get(statementId=history["told"]).status_code == 200
    assert crediting.count_day(tenant_id=cast.district.pk, person_id=cast.amara.pk, day=OLD) == 0


def test_the_erased_go_from_what_the_lake_alone_keeps(
    cast: Cast, history: dict[str, Any], django_capture_on_commit_callbacks: Any
) -> None:
    retiring.retire_months()
    key = str(cast.tom.key)
    assert key in {row["actor_key"] for row in in_lake()}
    rows, seconds = len(in_lake()), sum(row["duration_s"] or 0 for row in in_lake())
    with django_capture_on_commit_callbacks(execute=True):
        erase(by=cast.tom, person=cast.tom)
    run_waiting()
    assert key not in {row["actor_key"] for row in in_lake()}
    assert sum(row["duration_s"] or 0 for row in in_lake()) == seconds
    assert len(in_lake()) >= rows
    for row in RetiredMonth.objects.all():
        for each in row.files:
            with default_storage.open(each["name"]) as file:
                assert key not in parquet.read_table(file)["actor_key"].to_pylist()
