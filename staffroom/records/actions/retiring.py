"""Months that the ledger no longer keeps entry by entry (option `ledger_months`): into the lake for good, then out of the database.

Step by step, each of which can be cut short and is done again:

1. The month is closed: nothing changes its entries any more but the erasure of a person (`retired`). Whoever was changing one when it
   was closed is waited for.
2. What the lake tells of its entries is written into files of their own, read again, and kept in the storage, where backups take them
   along. They are not made anew from the ledger as the lake's other files are: they are all that is left.
3. Keys, mentions and entries go: on PostgreSQL the month's tables are detached and dropped, on SQLite rows go some at a time.
4. The files take their place in the lake, beside what later months say of the same days.

What an entry said word for word is gone then, whoever wrote it. Costs stay: they are a ledger of their own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from staffroom import options
from staffroom.jobs.actions import report
from staffroom.people.rows import among_sql
from staffroom.records import finding, lake, lake_kept, months, ordering
from staffroom.records.models import Awaiting, Mention, Statement, StatementKey
from staffroom.records.retired import RetiredMonth

AT_ONCE = 2000
# Mentions stand in the order of their hashes: a month's are among all of them, and go slice by slice.
SLICES = 512
TRIES = 5


def retire_months() -> int:
    """Take out of the ledger what is older than `ledger_months`. Returns how many months went."""
    kept = options.get("ledger_months")
    if kept <= 0:
        return 0
    old = [month for month in _with_entries() if month < months.later(months.this_month(), -kept)]
    rows = [RetiredMonth.objects.get_or_create(month=month)[0] for month in old]
    if not rows or not _all_have_heard():
        return 0
    count = 0
    for row in rows:
        _retire(row)
        count += 1
        report(done=count, total=len(rows))
    return count


def _with_entries() -> list[date]:
    """The months that the ledger has, oldest first."""
    if months.is_divided():
        return months.made()
    oldest = Statement.objects.order_by("pk").values_list("pk", flat=True).first()
    return list(months.between(months.month_of(oldest), months.this_month())) if oldest else []


def _all_have_heard(patience_s: float = 60) -> bool:
    """Wait until everybody who was writing before now has ended: whoever writes from now on knows which months are closed."""
    now = _database_now()
    until = time.monotonic() + patience_s
    while ordering.settled_through("default") < now:
        if time.monotonic() > until:
            return False  # tomorrow, then
        time.sleep(0.2)
    return True


def _database_now() -> Any:
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def _retire(row: RetiredMonth) -> None:
    with lake.alone():
        if row.gone_at is None:
            lake_kept.keep(row, *months.range_of(row.month))
            _take_out(row)
        lake_kept.lay([row])


# --- Out of the database -------------------------------------------------------------------------------------------------------------


def _take_out(row: RetiredMonth) -> None:
    begin, end = months.range_of(row.month)
    _forget_keys(begin, end)
    Awaiting.objects.filter(entry__lt=end).delete()
    if months.is_divided():
        _drop_tables(row)
        return
    for some in _numbers(begin, end):
        with transaction.atomic():
            _delete(Statement, "id", some)
    for low, high in _slices():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {Mention._meta.db_table} WHERE target >= %s AND target <= %s AND entry >= %s AND entry < %s",
                [low, high, begin, end],
            )
    _note_gone(row)


def _forget_keys(begin: int, end: int) -> None:
    """The ids of the month's entries are free again: whoever sends one once more is heard as if for the first time."""
    is_native = connection.features.has_native_uuid_field
    last = begin - 1
    while rows := list(
        Statement.objects.filter(pk__gt=last, pk__lt=end).order_by("pk").values_list("pk", "tenant_id", "key")[:AT_ONCE]
    ):
        hashed = [finding.key_in(tenant, key) for _number, tenant, key in rows]
        with transaction.atomic():
            _delete(StatementKey, "key", [each if is_native else each.hex for each in hashed])
        last = rows[-1][0]


def _numbers(begin: int, end: int) -> Iterator[list[int]]:
    found = Statement.objects.filter(pk__gte=begin, pk__lt=end).order_by("pk").values_list("pk", flat=True)
    while some := list(found[:AT_ONCE]):
        yield some


def _delete(model: type[Statement | StatementKey], column: str, values: list[Any]) -> None:
    # The one place where entries go: past the ledger's guards, which know no deletion.
    among, given = among_sql(column, values)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE {among}", given)


def _slices() -> Iterable[tuple[int, int]]:
    step = (1 << 64) // SLICES
    return ((low, low + step - 1) for low in range(-(1 << 63), 1 << 63, step))


def _drop_tables(row: RetiredMonth) -> None:
    """Detach the month's tables and drop them: at once for everybody, or not at all while somebody reads for long."""
    for attempt in range(TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{months.PATIENCE}'")
                for table in months.DIVIDED:
                    part = months.table_of(table, row.month)
                    cursor.execute(f"ALTER TABLE {table} DETACH PARTITION {part}")
                    cursor.execute(f"DROP TABLE {part}")
                _note_gone(row)
            return
        except OperationalError:
            if attempt == TRIES - 1:
                raise
            time.sleep(1 + attempt)


def _note_gone(row: RetiredMonth) -> None:
    row.gone_at = timezone.now()
    row.save(update_fields=["gone_at"])
