"""The months of the ledger on PostgreSQL: its largest tables are divided by the month in which an entry was stored.

An entry's number tells when it was stored (`ordering`), so a month is a range of numbers, and a question about some time or about one
entry opens the tables of those months alone. SQLite keeps whole tables: there is nothing here to be done for it.

Months are made ahead (every day, at every migration). An entry whose month is missing all the same is not refused: it goes into the
table `…_rest`, the doctor says so, and the next time that months are made it moves to where it belongs.

The divided tables have no foreign keys on PostgreSQL: each would lock the table it points to, and with it everybody's work, whenever a
month is made or goes. What an entry points to is read in the transaction that writes it; people, places, activities and tools are never
deleted but erased, ended or retired (`on_delete=PROTECT`); and on SQLite, where most tests run, the database watches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from staffroom.records.ordering import first_number, stored_at

# The divided tables, and the column that holds an entry's number.
DIVIDED = {"records_statement": "id", "records_mention": "entry"}
AHEAD = 3
REST = "rest"
# How long making a month waits for those who are reading or writing: everybody who comes later waits behind it.
PATIENCE = "5s"


def first_of(day: date) -> date:
    return day.replace(day=1)


def later(month: date, by: int = 1) -> date:
    """The month that comes so many months later; earlier, when negative."""
    years, months = divmod(month.month - 1 + by, 12)
    return date(month.year + years, months + 1, 1)


def between(first: date, last: date) -> Iterator[date]:
    """The months from one to another, both included."""
    while first <= last:
        yield first
        first = later(first)


def range_of(month: date) -> tuple[int, int]:
    """The numbers of a month: its first, and the first of the next."""
    return _begin(month), _begin(later(month))


def _begin(month: date) -> int:
    return first_number(datetime.combine(month, time(), UTC))


def month_of(number: int) -> date:
    """In which month the entry of a number was stored."""
    return first_of(stored_at(number).date())


def this_month() -> date:
    return first_of(datetime.now(UTC).date())


def table_of(table: str, month: date) -> str:
    return f"{table}_{month:%Y_%m}"


def is_divided(using: str = "default") -> bool:
    return connections[using].vendor == "postgresql"


_MONTHS = """
SELECT part.relname FROM pg_inherits i JOIN pg_class part ON part.oid = i.inhrelid WHERE i.inhparent = to_regclass(%s)
"""


def made(table: str = "records_statement", using: str = "default") -> list[date]:
    """The months that a table has a part for, oldest first."""
    with connections[using].cursor() as cursor:
        cursor.execute(_MONTHS, [table])
        endings = (name.removeprefix(f"{table}_") for (name,) in cursor.fetchall())
        return sorted(date(int(each[:4]), int(each[5:]), 1) for each in endings if each != REST)


def make_ahead(using: str = "default", *, since: date | None = None) -> int:
    """Make the tables of this month and the next ones, of those that entries wait for in the rest, and of all `since` a month.

    Safe to run twice, and by several at once. Returns how many tables were made.
    """
    if not is_divided(using) or not _is_there(connections[using], f"records_statement_{REST}"):
        return 0
    count = 0
    for table, column in DIVIDED.items():
        waiting = _waiting(connections[using], table, column)
        wanted = {*between(min(since or this_month(), this_month()), later(this_month(), AHEAD)), *waiting}
        for month in sorted(wanted.difference(made(table, using))):
            count += _make(connections[using], table, column, month)
    return count


def _is_there(connection: BaseDatabaseWrapper, table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        return bool(cursor.fetchone()[0])


def _waiting(connection: BaseDatabaseWrapper, table: str, column: str) -> set[date]:
    """The months of the entries in the rest; nearly always none."""
    found: set[date] = set()
    with connection.cursor() as cursor:
        number = -1
        while True:
            cursor.execute(f"SELECT min({column}) FROM {table}_{REST} WHERE {column} >= %s", [number])
            least = cursor.fetchone()[0]
            if least is None:
                return found
            found.add(month_of(least))
            number = range_of(month_of(least))[1]


def _make(connection: BaseDatabaseWrapper, table: str, column: str, month: date) -> int:
    """Make one month of one table, and move there what waits in the rest. 0 when somebody else was faster."""
    begin, end = range_of(month)
    part, rest = table_of(table, month), f"{table}_{REST}"
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        # Others who make months wait here; those who read and write do not, until the rest is looked through (which is empty).
        cursor.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [part])
        if cursor.fetchone()[0]:
            return 0
        cursor.execute(f"LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {part} (LIKE {table} INCLUDING ALL)")
        bounds = f"{column} >= {begin} AND {column} < {end}"
        cursor.execute(f"INSERT INTO {part} SELECT * FROM {rest} WHERE {bounds}")
        cursor.execute(f"DELETE FROM {rest} WHERE {bounds}")
        cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({begin}) TO ({end})")
    return 1


@dataclass(frozen=True)
class State:
    """How far the months are made, and whether entries stand outside of any."""

    last: date | None
    has_rest: bool

    @property
    def ahead(self) -> int:
        """How many months from now on are there; this one is not counted, and below zero it is missing itself."""
        if self.last is None:
            return -1
        now = this_month()
        return (self.last.year - now.year) * 12 + self.last.month - now.month


def state(using: str = "default") -> State | None:
    """For the doctor. None on SQLite, which has no months."""
    if not is_divided(using):
        return None
    there = set(made("records_statement", using)) & set(made("records_mention", using))
    with connections[using].cursor() as cursor:
        questions = (f"EXISTS (SELECT 1 FROM {table}_{REST})" for table in DIVIDED)
        cursor.execute(f"SELECT {' OR '.join(questions)}")
        has_rest = cursor.fetchone()[0]
    last: date | None = None
    for month in between(this_month(), max(there, default=this_month())):
        if month not in there:
            break
        last = month
    return State(last, has_rest)


def divide(cursor: Any, table: str, column: str) -> None:
    """Put a divided table in the place of a plain one that is still empty: the same columns, checks, key and indexes."""
    cursor.execute(
        "SELECT pg_get_constraintdef(oid), conname FROM pg_constraint WHERE conrelid = to_regclass(%s) AND contype = 'p'",
        [table],
    )
    key, name = cursor.fetchone()
    cursor.execute(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = %s AND indexname <> %s",
        [table, name],
    )
    indexes = [definition for (definition,) in cursor.fetchall()]
    cursor.execute(
        f"CREATE TABLE {table}_whole (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE) "
        f"PARTITION BY RANGE ({column})"
    )
    cursor.execute(f"DROP TABLE {table}")
    cursor.execute(f"ALTER TABLE {table}_whole RENAME TO {table}")
    for definition in (f"ALTER TABLE {table} ADD CONSTRAINT {name} {key}", *indexes):
        cursor.execute(definition)
    cursor.execute(f"CREATE TABLE {table}_{REST} PARTITION OF {table} DEFAULT")
