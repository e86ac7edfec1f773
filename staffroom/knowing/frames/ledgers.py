"""The port to the lake: the only place that knows which engine reads it.

Ibis describes each question as one group-by; DuckDB answers it in this process and hands back an Arrow table. An engine for
larger lakes takes DuckDB's place in `_ledger` alone, so the expressions stay few and plain. Every question is put about one
part of the tree of organizations, by the beginning of its path: nothing is ever added up across districts by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from staffroom.records import lake, lake_shared

if TYPE_CHECKING:
    import pyarrow

CELLS = ("teacher_key", "school_key", "term_begins_on", "n", "y_sum", "y_sumsq")
PRIOR_CELLS = (*CELLS, "p_sum", "p_sumsq", "py_sum")
PARTICIPATION = ("actor_key", "role", "term_id", "first_at", "seconds", "entries")
COSTS = (
    "kind",
    "role",
    "is_business_as_usual",
    "amount_usd_cents",
    "lines",
    "persons",
    "hours_priced",
    "first_year",
    "last_year",
)
INGREDIENTS = (
    "kind",
    "ingredient",
    "role",
    "payer",
    "scales_with",
    "is_opportunity",
    "is_business_as_usual",
    "price_year",
    "term_id",
    "amount_usd_cents",
    "quantity",
    "persons",
)


def outcome_cells(path: str, instrument_key: str, subject: str = "student") -> pyarrow.Table:
    """Sums of student results with a known teacher, one row per teacher, school and term: CELLS. The school may be empty.

    `path`: of the organization to which all of them belong, `/1/4/`; `subject` "teacher": of results of teachers themselves.
    """
    found = _results(path, instrument_key, subject)
    if found is None:
        return _nothing(CELLS)
    named = found.mutate(school_key=found.school_key.fill_null(""))
    cells = named.group_by("teacher_key", "school_key", "term_begins_on").aggregate(
        n=named.count(), y_sum=named.value.sum(), y_sumsq=(named.value * named.value).sum()
    )
    return _answer(cells, CELLS)


def prior_cells(path: str, instrument_key: str, first_terms: Mapping[str, date]) -> pyarrow.Table:
    """As `outcome_cells`, of results whose student has one of the same instrument in a term before: sums with those: PRIOR_CELLS.

    An earlier result counts only if it was made before the teacher of that time took part (`first_terms`: first day of each
    teacher's first term of taking part); else the activity may have changed it already. The result of now is left out with it.
    """
    results = _ledger("outcome")
    if results is None:
        return _nothing(PRIOR_CELLS)
    found = _of("student", results, path, instrument_key)
    linked = found.filter(found.prior.notnull())
    if first_terms:
        linked = linked.anti_join(_touched(results, instrument_key, first_terms), ["student_key", "term_begins_on"])
    named = linked.mutate(school_key=linked.school_key.fill_null(""))
    cells = named.group_by("teacher_key", "school_key", "term_begins_on").aggregate(
        n=named.count(), y_sum=named.value.sum(), y_sumsq=(named.value * named.value).sum(),
        p_sum=named.prior.sum(), p_sumsq=(named.prior * named.prior).sum(), py_sum=(named.prior * named.value).sum(),
    )  # fmt: skip
    return _answer(cells, PRIOR_CELLS)


def _touched(results: Any, instrument_key: str, first_terms: Mapping[str, date]) -> Any:
    """Students and terms whose result of the term before was made with a teacher who took part then."""
    import ibis

    own = results.filter(
        results.instrument_key == instrument_key, results.subject == "student", results.student_key.notnull()
    )
    joined = own.left_join(_days(first_terms), "teacher_key")
    took = joined.mutate(took_part=(joined.term_begins_on >= joined.starts_on).fill_null(False))
    by_term = took.group_by("student_key", "term_begins_on").aggregate(took_part=took.took_part.max())
    window = ibis.window(group_by="student_key", order_by="term_begins_on")
    told = by_term.mutate(touched=by_term.took_part.lag().over(window))
    return told.filter(told.touched.fill_null(False)).select("student_key", "term_begins_on")


def _days(first_terms: Mapping[str, date]) -> Any:
    import ibis
    import pyarrow

    return ibis.memtable(pyarrow.table({"teacher_key": list(first_terms), "starts_on": list(first_terms.values())}))


def students(path: str, instrument_key: str) -> int:
    """How many different students these results are of."""
    found = _results(path, instrument_key)
    return 0 if found is None else int(_answer(found.aggregate(n=found.student_key.nunique()), ("n",))["n"][0].as_py())


def students_taught(path: str, instrument_key: str, first_terms: Mapping[str, date]) -> int:
    """How many different students were taught by some teachers from the term on that begins on each one's date."""
    found = _results(path, instrument_key)
    if found is None or not first_terms:
        return 0
    joined = found.inner_join(_days(first_terms), "teacher_key")
    since = joined.filter(joined.term_begins_on >= joined.starts_on)
    return int(_answer(since.aggregate(n=since.student_key.nunique()), ("n",))["n"][0].as_py())


def participation(path: str, activity_key: str) -> pyarrow.Table:
    """Who took part in an activity, one row per person, role and term: PARTICIPATION. What lies outside terms has no term."""
    entries = _ledger("activity")
    if entries is None:
        return _nothing(PARTICIPATION)
    found = entries.filter(
        entries.organization_path.startswith(path), entries.activity_key == activity_key, entries.actor_key.notnull()
    )
    named = found.mutate(role=found.role.fill_null(""))
    rows = named.group_by("actor_key", "role", "term_id").aggregate(
        first_at=named.happened_at.min(), seconds=named.duration_s.fill_null(0).sum(), entries=named.count()
    )
    return _answer(rows, PARTICIPATION)


def costs(path: str, activity_key: str) -> pyarrow.Table:
    """What an activity used, one row per kind of ingredient, role and whether it is business as usual: COSTS.

    `persons`: whose time is in it; `hours_priced`: how many hours of it came from entries of the activity ledger.
    """
    lines = _ledger("cost")
    if lines is None:
        return _nothing(COSTS)
    found = lines.filter(lines.organization_path.startswith(path), lines.activity_key == activity_key)
    named = found.mutate(role=found.role.fill_null(""))
    rows = named.group_by("kind", "role", "is_business_as_usual").aggregate(
        amount_usd_cents=named.amount_usd_cents.sum(), lines=named.count(), persons=named.person_key.nunique(),
        hours_priced=named.quantity.sum(where=named.statement_key.notnull()),
        first_year=named.price_year.min(), last_year=named.price_year.max(),
    )  # fmt: skip
    return _answer(rows, COSTS)


def ingredients(path: str, activity_key: str) -> pyarrow.Table:
    """The same ingredient by ingredient, one row per term, payer and what it scales with: INGREDIENTS."""
    lines = _ledger("cost")
    if lines is None:
        return _nothing(INGREDIENTS)
    found = lines.filter(lines.organization_path.startswith(path), lines.activity_key == activity_key)
    named = found.mutate(role=found.role.fill_null(""), payer=found.payer.fill_null(""))
    rows = named.group_by(*INGREDIENTS[:9]).aggregate(
        amount_usd_cents=named.amount_usd_cents.sum(), quantity=named.quantity.sum(), persons=named.person_key.nunique()
    )
    return _answer(rows, INGREDIENTS)


def _results(path: str, instrument_key: str, subject: str = "student") -> Any:
    results = _ledger("outcome")
    return None if results is None else _of(subject, results, path, instrument_key)


def _of(subject: str, results: Any, path: str, instrument_key: str) -> Any:
    return results.filter(
        results.organization_path.startswith(path), results.instrument_key == instrument_key,
        results.subject == subject, results.teacher_key.notnull(),
    )  # fmt: skip


def _ledger(name: str) -> Any:
    """A ledger of the lake as a table to ask, or None while nothing has been written."""
    lake_shared.bring_here()
    files = sorted((lake.folder() / name).glob("month=*/*.parquet"))
    if not files:
        return None
    import ibis

    engine = ibis.duckdb.connect(threads=2)
    # On long questions DuckDB draws a bar on the terminal of whoever started the worker.
    engine.raw_sql("SET enable_progress_bar = false")
    return engine.read_parquet([str(file) for file in files], union_by_name=True)


def _answer(expression: Any, columns: tuple[str, ...]) -> pyarrow.Table:
    return expression.to_pyarrow().select(list(columns))


def _nothing(columns: tuple[str, ...]) -> pyarrow.Table:
    import pyarrow

    return pyarrow.table({name: pyarrow.array([], pyarrow.null()) for name in columns})
