"""The lake: the three ledgers as Parquet, a folder per ledger and month, for analysis that never asks the database.

    lake/activity/month=2026-09/part-0.parquet      lake/outcome/month=…      lake/cost/month=…

Only entries that count are in it: a voided entry and its voiding are not. Whoever adds, voids or erases an entry leaves a mark on
its month in the same transaction (`append_only.LakeMark`), and only marked months are written anew; the file takes its name in one
step, so that a reader finds the old month or the new one, never half.
The same entries always make the same bytes: rows are ordered by time and key, and the writer's settings are fixed. Evaluation
results are left out: what is read from the lake is growth (trust, rule 2). The columns are described in docs/developers/records.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Max, Model, OuterRef, Q, QuerySet, Subquery, Sum, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from staffroom.people.models import Organization, Term
from staffroom.records import lake_shared, ordering
from staffroom.records.append_only import LakeMark
from staffroom.records.models import Cost, LakePart, Outcome, Statement

if TYPE_CHECKING:
    import pyarrow

ROWS_AT_ONCE = 50_000
FILE = "part-0.parquet"


def folder() -> Path:
    """Where the lake lies."""
    return Path(settings.DATA) / "lake"


# --- What the columns are ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Places:
    """Organizations and terms as the lake names them, read once for a whole writing."""

    keys: dict[int, str]
    paths: dict[int, str]
    kinds: dict[int, str]
    terms: dict[int, list[tuple[date, date, int, int]]]
    ordinals: dict[int, int]
    known: dict[tuple[int | None, str], str | None] = field(default_factory=dict)

    def key(self, pk: int | None) -> str | None:
        return self.keys.get(pk) if pk is not None else None

    def around(self, pk: int | None, kind: str) -> str | None:
        """The key of the school or district that an organization is or lies in."""
        if (pk, kind) not in self.known:
            around = (self.keys[each] for each in reversed(self._chain(pk)) if self.kinds.get(each) == kind)
            self.known[(pk, kind)] = next(around, None)
        return self.known[(pk, kind)]

    def _chain(self, pk: int | None) -> list[int]:
        path = self.paths.get(pk, "") if pk is not None else ""
        return [int(part) for part in path.strip("/").split("/") if part]

    def term_on(self, pk: int | None, day: date) -> int | None:
        """The shortest term around an organization that a day falls into."""
        around = (term for each in self._chain(pk) for term in self.terms.get(each, ()))
        fitting = [(ends - begins, term) for begins, ends, _ordinal, term in around if begins <= day <= ends]
        return min(fitting)[1] if fitting else None


def read_places() -> Places:
    rows = list(Organization.objects.order_by("pk").values_list("pk", "key", "path", "kind"))
    terms: dict[int, list[tuple[date, date, int, int]]] = {}
    for pk, organization, begins, ends in Term.objects.order_by("begins_on", "pk").values_list(
        "pk", "organization_id", "begins_on", "ends_on"
    ):
        known = terms.setdefault(organization, [])
        known.append((begins, ends, len(known), pk))
    return Places(
        keys={pk: str(key) for pk, key, _path, _kind in rows},
        paths={pk: path for pk, _key, path, _kind in rows},
        kinds={pk: kind for pk, _key, _path, kind in rows},
        terms=terms,
        ordinals={pk: ordinal for known in terms.values() for _begins, _ends, ordinal, pk in known},
    )


@dataclass(frozen=True)
class Ledger:
    """How one ledger is written: which entries, on which day each stands, its columns, and how a row is made of an entry."""

    name: str
    model: type[Model]
    day: str
    columns: tuple[tuple[str, str], ...]
    read: Callable[[], QuerySet[Any]]
    fields: tuple[str, ...]
    row: Callable[[tuple[Any, ...], Places], tuple[Any, ...]]

    def of_month(self, month: date) -> QuerySet[Any]:
        return self.read().filter(_in_month(self.day, month))

    @property
    def is_moment(self) -> bool:
        return self.day == "happened_at"


def _in_month(day: str, month: date) -> Q:
    first, after = month, date(month.year + month.month // 12, month.month % 12 + 1, 1)
    if day != "happened_at":
        return Q(**{f"{day}__gte": first, f"{day}__lt": after})
    begin, end = (datetime.combine(each, time(), UTC) for each in (first, after))
    return Q(happened_at__gte=begin, happened_at__lt=end)


def _columns(names: Iterable[str]) -> Iterator[Any]:
    """What to read: keys as text, since a million UUID objects would take longer than all the rest."""
    return (Cast(name, TextField()) if name.endswith("key") else name for name in names)


def _key(value: str | None) -> str | None:
    """A key as the lake writes it; SQLite keeps it without the dashes."""
    if value is None or len(value) != 32:
        return value
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


ACTIVITY_COLUMNS = (
    ("key", "string"), ("organization_path", "string"), ("organization_key", "string"), ("school_key", "string"),
    ("district_key", "string"), ("actor_key", "string"), ("role", "string"), ("verb", "string"), ("activity_iri", "string"),
    ("activity_key", "string"), ("activity_kind", "string"), ("happened_at", "timestamp"), ("duration_s", "int64"),
    ("term_id", "int64"), ("term_ordinal", "int64"),
)  # fmt: skip
ACTIVITY_FIELDS = (
    "key", "organization_id", "actor__key", "role", "verb", "activity__iri", "activity__key", "activity__kind", "happened_at",
    "duration_s",
)  # fmt: skip


def _activity_row(entry: tuple[Any, ...], places: Places) -> tuple[Any, ...]:
    key, place, actor, role, verb, iri, activity, kind, at, duration = entry
    term = places.term_on(place, timezone.localdate(at))
    return (
        _key(key), places.paths.get(place), places.key(place), places.around(place, "school"), places.around(place, "district"),
        _key(actor), role or None, verb, iri, _key(activity), kind, at, duration, term, places.ordinals.get(term or 0),
    )  # fmt: skip


OUTCOME_COLUMNS = (
    ("key", "string"), ("organization_path", "string"), ("district_key", "string"), ("school_key", "string"),
    ("instrument_key", "string"), ("instrument_kind", "string"), ("is_higher_better", "bool"), ("subject", "string"),
    ("student_key", "string"), ("teacher_key", "string"), ("section_id", "int64"), ("term_id", "int64"),
    ("term_ordinal", "int64"), ("term_begins_on", "date"), ("school_year", "int64"), ("value", "double"), ("prior", "double"),
    ("observed_on", "date"), ("stored_at", "timestamp"),
)  # fmt: skip
OUTCOME_FIELDS = (
    "key", "organization_id", "school_id", "instrument__key", "instrument__kind", "instrument__is_higher_better", "subject",
    "person__key", "teacher__key", "section_id", "term_id", "term__begins_on", "term__school_year", "value", "prior",
    "observed_on", "stored_at",
)  # fmt: skip


def _outcomes() -> QuerySet[Any]:
    """Live results that are no evaluation, each with the same person's result of the term before it."""
    before = Outcome.objects.live().filter(
        instrument=OuterRef("instrument"), person=OuterRef("person"), subject=OuterRef("subject"),
        term__begins_on__lt=OuterRef("term__begins_on"),
    ).order_by("-term__begins_on", "-observed_on", "-pk")  # fmt: skip
    live = Outcome.objects.live().filter(instrument__is_evaluation=False)
    return live.annotate(
        stands_on=Coalesce("observed_on", "term__begins_on"), prior=Subquery(before.values("value")[:1])
    )


def _outcome_row(entry: tuple[Any, ...], places: Places) -> tuple[Any, ...]:
    key, place, school, instrument, kind, is_higher, subject, person, teacher, section, term, begins, year, *rest = (
        entry
    )
    value, prior, day, stored_at = rest
    student = _key(person) if subject == Outcome.Subject.STUDENT else None
    teaching = _key(person if subject == Outcome.Subject.TEACHER else teacher)
    at = school if school is not None else place
    return (
        _key(key), places.paths.get(at), places.around(at, "district"), places.around(at, "school"), _key(instrument), kind,
        is_higher, subject, student, teaching, section, term, places.ordinals.get(term), begins, year, value, prior, day, stored_at,
    )  # fmt: skip


COST_COLUMNS = (
    ("key", "string"), ("organization_path", "string"), ("district_key", "string"), ("activity_iri", "string"),
    ("activity_key", "string"), ("kind", "string"), ("ingredient", "string"), ("role", "string"), ("quantity", "decimal"),
    ("unit", "string"), ("unit_price_usd_cents", "int64"), ("amount_usd_cents", "int64"), ("price_year", "int64"),
    ("payer", "string"), ("is_business_as_usual", "bool"), ("scales_with", "string"), ("is_opportunity", "bool"),
    ("region", "string"), ("person_key", "string"), ("statement_key", "string"), ("happened_on", "date"), ("term_id", "int64"),
    ("term_ordinal", "int64"), ("stored_at", "timestamp"),
)  # fmt: skip
COST_FIELDS = (
    "key", "organization_id", "activity__iri", "activity__key", "kind", "ingredient", "price__role", "quantity", "unit",
    "unit_price_usd_cents", "amount_usd_cents", "price_year", "payer", "is_business_as_usual", "scales_with",
    "is_opportunity", "region", "person__key", "statement__key", "happened_on", "stored_at",
)  # fmt: skip


def _cost_row(entry: tuple[Any, ...], places: Places) -> tuple[Any, ...]:
    key, place, iri, activity, *middle, person, statement, day, stored_at = entry
    term = places.term_on(place, day)
    return (
        _key(key), places.paths.get(place), places.around(place, "district"), iri, _key(activity), *middle, _key(person),
        _key(statement), day, term, places.ordinals.get(term or 0), stored_at,
    )  # fmt: skip


LEDGERS: dict[str, Ledger] = {
    "activity": Ledger(
        "activity",
        Statement,
        "happened_at",
        ACTIVITY_COLUMNS,
        lambda: Statement.objects.live(),
        ACTIVITY_FIELDS,
        _activity_row,
    ),
    "outcome": Ledger("outcome", Outcome, "stands_on", OUTCOME_COLUMNS, _outcomes, OUTCOME_FIELDS, _outcome_row),
    "cost": Ledger("cost", Cost, "happened_on", COST_COLUMNS, lambda: Cost.objects.live(), COST_FIELDS, _cost_row),
}


# --- How far it is ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """How far the lake is behind the ledgers."""

    newest_month: date | None
    rows: int
    written_at: datetime | None
    marked_months: int
    behind: int
    behind_since: datetime | None


def standing() -> Standing:
    """The newest month of the activity ledger in the lake, and how many of its entries were stored since it was last written."""
    parts = LakePart.objects.filter(ledger="activity").order_by("-month")
    newest = parts.first()
    written_at = parts.aggregate(at=Max("written_at"))["at"]
    marked = LakeMark.objects.order_by().values("ledger", "month").distinct().count()
    since = Statement.objects.order_by("pk")
    if written_at:
        since = since.filter(pk__gte=ordering.first_number(written_at))
    first = since.values_list("pk", flat=True).first() if marked else None
    return Standing(
        newest_month=newest.month if newest else None,
        rows=parts.aggregate(rows=Sum("rows"))["rows"] or 0,
        written_at=written_at,
        marked_months=marked,
        behind=since.order_by().count() if first else 0,
        behind_since=ordering.stored_at(first) if first else None,
    )


# --- Writing -------------------------------------------------------------------------------------------------------------------------


def refresh() -> int:
    """Write the months that have changed since the last writing. Returns how many files were written or removed.

    One process at a time: whoever comes second waits, and finds little left to do.
    """
    from staffroom.records import lake_kept

    with alone():
        places = read_places()
        return sum(_bring_up(ledger, places) for ledger in LEDGERS.values()) + lake_kept.lay()


def rebuild() -> int:
    """Write the whole lake anew. From the same entries come the same bytes. Returns how many files were written.

    What it keeps of months that the ledger no longer has (`lake_kept`) stays as it is.
    """
    with alone():
        for path in folder().glob(f"*/month=*/{FILE}"):
            path.unlink()
        LakePart.objects.all().delete()
        places = read_places()
        return sum(_bring_up(ledger, places, _every_month(ledger)) for ledger in LEDGERS.values())


def _bring_up(ledger: Ledger, places: Places, also: Iterable[date] = ()) -> int:
    """Write one ledger's marked months, and others. Marks are read before the entries and removed after the files are there."""
    marks = dict(LakeMark.objects.filter(ledger=ledger.name).values_list("pk", "month"))
    parts = LakePart.objects.filter(ledger=ledger.name)
    months = {*marks.values(), *also, *_lost_months(parts)}
    if ledger.name == "outcome" and months:
        # A result is the prior of later ones.
        months |= set(parts.filter(month__gt=min(months)).values_list("month", flat=True))
    written = _write_months(ledger, sorted(months), places)
    for chosen in batched(marks, 500):
        LakeMark.objects.filter(pk__in=chosen).delete()
    return written


def _lost_months(parts: QuerySet[LakePart]) -> Iterator[date]:
    """Months whose file is gone: after a restore, or when somebody cleaned up too well."""
    return (part.month for part in parts if not (folder() / part.path).exists())


def _every_month(ledger: Ledger) -> set[date]:
    """The months in which a ledger has entries."""
    day = ("observed_on", "term__begins_on") if ledger.name == "outcome" else (ledger.day, ledger.day)
    dated = ledger.model._default_manager.order_by().annotate(stands_on=Coalesce(*day))
    found = dated.values_list("stands_on", flat=True).distinct().iterator(chunk_size=5000)
    if ledger.is_moment:
        return {moment.astimezone(UTC).date().replace(day=1) for moment in found}
    return {each.replace(day=1) for each in found}


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lake's lock. It goes with the process, however that ends."""
    import fcntl

    path = folder().with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with lake_shared.held():
            yield


def _write_months(ledger: Ledger, months: Iterable[date], places: Places) -> int:
    return sum(_write_month(ledger, month, places) for month in months)


def _write_month(ledger: Ledger, month: date, places: Places) -> int:
    """Write one month, or remove it when nothing is left in it. A month whose bytes are the same is not touched."""
    began = timezone.now()
    path = folder() / ledger.name / f"month={month:%Y-%m}" / FILE
    fresh = path.with_suffix(".new")
    rows = write_file(ledger, ledger.of_month(month), places, fresh)
    if not rows:
        fresh.unlink()
        path.unlink(missing_ok=True)
        with suppress(OSError):  # what is kept for good may lie beside it
            path.parent.rmdir()
        return LakePart.objects.filter(ledger=ledger.name, month=month).delete()[0]
    sha256 = hash_of(fresh)
    is_new = not path.exists() or hash_of(path) != sha256
    os.replace(fresh, path)
    LakePart.objects.update_or_create(
        ledger=ledger.name, month=month,
        defaults={
            "path": path.relative_to(folder()).as_posix(), "rows": rows, "sha256": sha256, "written_at": began,
        },
    )  # fmt: skip
    return int(is_new)


def hash_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_again(months: Iterable[date]) -> None:
    """Write months of the activity ledger from what it has now. Whoever calls is `alone`."""
    if found := sorted(set(months)):
        _write_months(LEDGERS["activity"], found, read_places())


def write_file(ledger: Ledger, entries: QuerySet[Any], places: Places, path: Path) -> int:
    """Write the rows of entries to a file, a group of rows at a time. Returns how many rows there are."""
    from pyarrow import parquet

    schema = schema_of(ledger.columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    total = 0
    with parquet.ParquetWriter(path, schema, compression="zstd", version="2.6") as writer:
        for table in _tables(ledger, entries, places, schema):
            writer.write_table(table, row_group_size=ROWS_AT_ONCE)
            total += table.num_rows
    return total


def _tables(ledger: Ledger, entries: QuerySet[Any], places: Places, schema: pyarrow.Schema) -> Iterator[pyarrow.Table]:
    import pyarrow

    ordered = entries.order_by(ledger.day, "key").values_list(*_columns(ledger.fields))
    for chosen in batched(ordered.iterator(chunk_size=5000), ROWS_AT_ONCE):
        columns = zip(*(ledger.row(entry, places) for entry in chosen), strict=True)
        arrays = [pyarrow.array(values, type=each.type) for values, each in zip(columns, schema, strict=True)]
        yield pyarrow.Table.from_arrays(arrays, schema=schema)


def schema_of(columns: Iterable[tuple[str, str]]) -> pyarrow.Schema:
    """The Parquet schema of a ledger: names and types of its columns."""
    import pyarrow

    types = {
        "string": pyarrow.string(), "int64": pyarrow.int64(), "double": pyarrow.float64(), "bool": pyarrow.bool_(),
        "date": pyarrow.date32(), "timestamp": pyarrow.timestamp("us", tz="UTC"), "decimal": pyarrow.decimal128(14, 4),
    }  # fmt: skip
    return pyarrow.schema([(name, types[kind]) for name, kind in columns])


def columns_of(ledger: str) -> tuple[tuple[str, str], ...]:
    """Names and types of a ledger's columns, for readers and for the documentation's test."""
    return LEDGERS[ledger].columns
