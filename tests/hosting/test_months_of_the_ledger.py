"""The ledger on PostgreSQL is divided into months: made ahead, filled by when entries were stored, opened only where they are asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosting.conftest import Place

# One after the other on one ledger.
pytestmark = [pytest.mark.slow, pytest.mark.postgres]

# The tables as they are today, without the steps of the past: those have their own tests on PostgreSQL.
MAKE = """
from staffroom.cli import preparing
preparing.make_at_once()
"""
# What the lines below share. `say` prints what a test looks at.
WORDS = """
import json, uuid
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from unittest import mock
from django.db import connection, transaction
from staffroom.people.models import Organization
from staffroom.records import finding, months, ordering
from staffroom.records.actions import appending
from staffroom.records.models import Mention, Statement, StatementKey
now = months.this_month()
def say(told): print(json.dumps(told, default=str))
def in_table(table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, count(*) FROM " + table + " GROUP BY 1")
        return dict(cursor.fetchall())
def explained(sql, values=()):
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + sql, values)
        return "\\n".join(line for (line,) in cursor.fetchall())
@contextmanager
def stored_in(month):
    first = months.range_of(month)[0] + 5
    def numbers(count):
        numbers.last = getattr(numbers, "last", first) + 1000
        return range(numbers.last, numbers.last + count), ordering.stored_at(numbers.last)
    with mock.patch.object(appending, "take_numbers", numbers):
        yield
"""
FURNISH = """
from staffroom.exchange.actions import keys, receiving
district = Organization.objects.create(kind="district", name="Riverbend", slug="riverbend")
tool = keys.add_tool(by=None, organization=district, name="LMS")
key, secret = keys.make_key(by=None, tool=tool, scopes=["all"])
"""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Callable[[str], Any]]:
    """Runs lines of Python beside a PostgreSQL of a district with a tool; returns what they say."""
    import psycopg

    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "months"')
        connection.execute('CREATE DATABASE "months"')
    folder: Path = tmp_path_factory.mktemp("months") / "data"
    place = Place(folder, STAFFROOM_DATABASE_URL=f"{postgres}/months")
    place.python(MAKE + WORDS + FURNISH)

    def run(lines: str) -> Any:
        return json.loads(place.python(WORDS + lines).splitlines()[-1])

    run.place = place  # type: ignore[attr-defined]
    yield run
    place.end()


def _months_are_made_ahead_and_entries_land_in_theirs(ledger: Callable[[str], Any]) -> None:
    told = ledger("""
from staffroom.exchange.actions import keys, receiving
from staffroom.permissions.models import Tool
tool = Tool.objects.get()
caller = keys.caller(key_id=0, tool=tool, scopes="all")
def body(n): return {
    "id": str(uuid.UUID(int=n)), "actor": {"objectType": "Agent", "mbox": "mailto:a%d@vendor.example" % (n % 3)},
    "verb": {"id": "https://vendor.example/did"}, "object": {"objectType": "Activity", "id": "https://vendor.example/course"}}
receiving.receive(caller=caller, bodies=[body(n) for n in range(40)], major=1)
for back, count in ((1, 20), (2, 3)):
    with stored_in(months.later(now, -back)):
        receiving.receive(caller=caller, bodies=[body(1000 * back + n) for n in range(count)], major=1)
before = months.state()
entries, mentions = in_table("records_statement"), in_table("records_mention")
made = months.make_ahead()
again = months.make_ahead()
after = months.state()
say([entries, sorted(mentions), [before.has_rest, before.ahead], made, again, [after.has_rest, after.ahead],
     in_table("records_statement"), [months.table_of("records_statement", months.later(now, -n)) for n in range(3)]])
""")
    entries, mentions, before, made, again, after, then, (this, last, before_last) = told
    own = entries.pop(this)  # with the deed of whoever added the tool
    assert own >= 40
    assert entries == {"records_statement_rest": 23}, "a missing month refuses nobody"
    assert len(mentions) == 2
    assert before == [True, 3], "and is told"
    assert (made, again) == (4, 0)
    assert after == [False, 3]
    assert then == {this: own, last: 20, before_last: 3}


def _questions_open_only_the_months_that_they_are_about(ledger: Callable[[str], Any]) -> None:
    """The tables that PostgreSQL names in its plan."""
    told = ledger("""
since, until = months.range_of(months.later(now, 1))
number = Statement.objects.order_by("-pk").values_list("pk", flat=True).first()
say([explained("SELECT body FROM records_statement WHERE id = %s", [number]),
     explained("SELECT id FROM records_statement WHERE id >= %s AND id < %s ORDER BY id LIMIT 5", [since, until]),
     explained("SELECT entry FROM records_mention WHERE target = 5 AND entry >= %s AND entry < %s", [since, until]),
     months.table_of("", now), months.table_of("", months.later(now, 1))])
""")
    by_id, some, found, this, following = told
    for plan, month in ((by_id, this), (some, following), (found, following)):
        assert month in plan
        assert plan.count(" on records_") == 1, plan


def _an_old_month_is_detached_once_the_lake_has_it(ledger: Callable[[str], Any]) -> None:
    told = ledger("""
import os
os.environ["STAFFROOM_LEDGER_MONTHS"] = "1"
from django.test import Client
from staffroom.exchange.actions import keys
from staffroom.permissions.models import Tool
from staffroom.records import lake
from staffroom.records.actions import retiring
from staffroom.records.models import RetiredMonth
import base64
key, secret = keys.make_key(by=None, tool=Tool.objects.get(), scopes=["all"])
head = {"Authorization": "Basic " + base64.b64encode(f"{key.name}:{secret}".encode()).decode(), "X-Experience-API-Version": "1.0.3"}
def ask(n): return Client().get("/xapi/statements", {"statementId": str(uuid.UUID(int=n))}, headers=head).status_code
months.make_ahead()
lake.refresh()
keys_before, before = StatementKey.objects.count(), [ask(2000), ask(1000), ask(1)]
old = months.range_of(months.later(now, -2))
mentions = Mention.objects.filter(entry__gte=old[0], entry__lt=old[1]).count()
gone = retiring.retire_months()
say([before, [ask(2000), ask(1000), ask(1)], gone, keys_before - StatementKey.objects.count(), mentions,
     Mention.objects.filter(entry__lt=old[1]).count(),
     [each.isoformat() for each in months.made()][0], RetiredMonth.objects.get().entries,
     len(list((lake.folder() / "activity").rglob("stored-*.parquet"))), months.later(now, -1),
     retiring.retire_months()])
""")
    before, after, gone, keys, mentions, left, oldest, entries, files, last, again = told
    assert before == [200, 200, 200]
    assert after == [404, 200, 200]
    assert (gone, keys, entries, left, again) == (1, 3, 3, 0, 0)
    assert mentions > 3
    assert oldest == last
    assert files == 1


def _erasing_rewrites_entries_and_their_mentions_in_every_month(ledger: Callable[[str], Any]) -> None:
    told = ledger("""
from staffroom.people.models import Person
from staffroom.records import erasing
person = Person.objects.create(given_name="A", family_name="B")
name = finding.ifi({"mbox": "mailto:a1@vendor.example"})
tenant = Organization.objects.get(slug="riverbend").pk
found = Mention.objects.filter(target=finding.target(tenant, finding.AGENT, name))
entries = list(Statement.objects.filter(pk__in=found.values("entry")))
with transaction.atomic():
    count = erasing.take_agents_out(entries, {name}, person=person)
said = {months.table_of("", months.month_of(each.pk)) for each in entries}
say([count, len(said), found.count(), [each for each in Statement.objects.values_list("body", flat=True) if "a1@" in json.dumps(each)]])
""")
    count, in_months, mentions, left = told
    assert count > 15
    assert in_months == 2
    assert (mentions, left) == (0, [])


def _an_archive_is_brought_back_month_by_month(
    ledger: Callable[[str], Any], new_database: Callable[[str], str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Into months of before now, too: none of their entries ends in the rest."""
    before = ledger('say([in_table("records_statement"), in_table("records_mention")])')
    assert len(before[0]) > 1, "entries of more than one month"
    place = ledger.place  # type: ignore[attr-defined]
    place.python(f"""
from pathlib import Path
from staffroom.cli import postgres
Path({str(tmp_path)!r}, "dump").mkdir()
postgres.dump(Path({str(tmp_path)!r}, "dump"))
""")
    elsewhere = Place(tmp_path / "elsewhere", STAFFROOM_DATABASE_URL=new_database("months_again"))
    elsewhere.python(MAKE)
    told = elsewhere.python(
        WORDS
        + f"""
from pathlib import Path
from staffroom.cli import postgres
folder = Path({str(tmp_path)!r}, "dump")
columns = json.loads((folder / postgres.COLUMNS).read_text())
postgres._make_months(folder, columns)
connection.ensure_connection()
with transaction.atomic(), connection.connection.cursor() as cursor:
    for table in months.DIVIDED:
        rows = sum(1 for _line in (folder / f"{{table}}.copy").open())
        postgres._fill(cursor, folder / f"{{table}}.copy", table, columns[table], rows)
say([in_table("records_statement"), in_table("records_mention")])
"""
    )
    assert json.loads(told) == before


def test_the_ledger_by_months_on_postgres(
    ledger: Callable[[str], Any], new_database: Callable[[str], str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """One ledger through its whole life, step by step: each step needs what the one before it left."""
    _months_are_made_ahead_and_entries_land_in_theirs(ledger)
    _questions_open_only_the_months_that_they_are_about(ledger)
    _an_old_month_is_detached_once_the_lake_has_it(ledger)
    _erasing_rewrites_entries_and_their_mentions_in_every_month(ledger)
    _an_archive_is_brought_back_month_by_month(ledger, new_database, tmp_path, request)
