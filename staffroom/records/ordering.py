"""The order of the activity ledger: an entry's number tells when it was stored.

A number is the millisecond in which the entry was stored (since 2020) and, in its last 22 bits, a count within it. So the order of the
numbers is the order of storing; "since" and "until" are ranges of numbers; a month of the ledger is one too, by which PostgreSQL
divides the table into parts; and paging needs no other cursor than the last number seen.

On SQLite writers wait for each other, so numbers go up in the order in which transactions end. On PostgreSQL a transaction that began
earlier may end later: `settled_through` says up to which moment nothing can be added any more.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connections, models

from staffroom.people.rows import read_rows

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
EPOCH_MS = int(EPOCH.timestamp() * 1000)
COUNT_BITS = 22
BLOCK_BITS = 10
AT_ONCE = 1 << BLOCK_BITS
SEQUENCE = "records_entry_order"
LATELY_S = 0.25


# The transaction first shows that it writes, then looks at the clock: so `settled_through` never passes it unseen.
_NEXT = (
    f"SELECT pg_current_xact_id()::text, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, nextval('{SEQUENCE}')"
)


def first_number(moment: datetime) -> int:
    """The least number that an entry stored in the millisecond of `moment` can have."""
    return ((moment - EPOCH) // timedelta(milliseconds=1)) << COUNT_BITS


def stored_at(number: int) -> datetime:
    """When the entry of a number was stored, to the millisecond."""
    return EPOCH + timedelta(milliseconds=number >> COUNT_BITS)


def take_numbers(model: type[models.Model], count: int, using: str) -> range:
    """The numbers for the next `count` entries (at most `AT_ONCE`), for the transaction under way."""
    if not 0 < count <= AT_ONCE:
        raise ValueError(f"between 1 and {AT_ONCE} numbers at once, not {count}")
    connection = connections[using]
    if connection.vendor == "postgresql":
        ((_transaction, now_ms, block),) = read_rows(_NEXT, [], using)
        first = ((now_ms - EPOCH_MS) << COUNT_BITS) | ((block << BLOCK_BITS) & ((1 << COUNT_BITS) - 1))
    else:
        ((last,),) = read_rows(f"SELECT max(id) FROM {connection.ops.quote_name(model._meta.db_table)}", [], using)
        first = max((int(time.time() * 1000) - EPOCH_MS) << COUNT_BITS, (last or 0) + 1)
    return range(first, first + count)


def settled_through(using: str) -> datetime:
    """The moment up to which the ledger is complete: whatever is stored from now on is stored later."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            # The moment before the look, not after it: who begins to write in between is not seen.
            "SELECT least(statement_timestamp(), min(xact_start)) FROM pg_stat_activity "
            "WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        moment: datetime = cursor.fetchone()[0]
    return moment.astimezone(UTC)


def first_unsettled(settled: datetime, using: str) -> int:
    """The least number that something could still be added under. On SQLite it is beyond every number that there is."""
    if connections[using].vendor != "postgresql":
        return 1 << 62
    return first_number(settled)


_settled: dict[str, tuple[float, datetime]] = {}


def settled_lately(using: str) -> datetime:
    """A moment up to which the ledger is complete, on PostgreSQL up to a moment old: for answers that only tell it in passing.

    What was complete stays complete: an older moment tells less, and nothing wrong.
    """
    if connections[using].vendor != "postgresql":
        return settled_through(using)
    seen_at, moment = _settled.get(using, (0.0, EPOCH))
    if time.monotonic() - seen_at > LATELY_S:
        seen_at, moment = time.monotonic(), settled_through(using)
        _settled[using] = seen_at, moment
    return moment
