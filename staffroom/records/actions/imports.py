"""Taking a file of results into the outcome ledger: keep it, say which column means what, look at it, take it in.

Rows that cannot be used are left out and reported with line and reason; all others arrive in one transaction, or none do. A row
whose result is there already changes nothing; one with another value voids the old result. The file is removed once it is taken in.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from staffroom.jobs.actions import report
from staffroom.people.models import Organization, Person
from staffroom.records import reading, resolving, rules
from staffroom.records.actions import outcomes
from staffroom.records.models import ColumnMapping, Instrument, OutcomeImport
from staffroom.records.reading import Unreadable

MOST_PROBLEMS = 1000
PREVIEW_ROWS = 8
REPORT_EVERY = 5000
PREVIEWS_WAIT = timedelta(days=7)


@dataclass(frozen=True)
class Preview:
    """What taking a file in would do: rows that can be used, and the first that cannot."""

    columns: list[str]
    encoding: str
    rows_total: int
    rows_good: int
    rows_bad: int
    sample: list[list[str]]
    problems: list[resolving.RowProblem]
    low: float | None
    high: float | None


@transaction.atomic
def keep_file(*, by: Person, organization: Organization, name: str, content: bytes) -> OutcomeImport:
    """Put a results file aside to be mapped and looked at. Refuses what cannot be read as a table (ValidationError)."""
    if not rules.may_keep_records(by, organization):
        raise PermissionDenied
    try:
        reading.read_table(content)
    except Unreadable as problem:
        raise ValidationError(str(problem)) from problem
    made = OutcomeImport(
        organization=organization,
        imported_by=by,
        name=Path(name).name[:255],
        sha256=hashlib.sha256(content).hexdigest(),
    )
    made.path = default_storage.save(f"records/imports/{uuid.uuid4()}.csv", ContentFile(content))
    made.save()
    return made


def content_of(outcome_import: OutcomeImport) -> bytes:
    """The kept file. Raises ValidationError when it has been removed."""
    try:
        with default_storage.open(outcome_import.path) as file:
            return bytes(file.read())
    except OSError as problem:
        raise ValidationError(_("The file is no longer here. Send it again.")) from problem


@transaction.atomic
def map_columns(
    *,
    by: Person,
    outcome_import: OutcomeImport,
    instrument: Instrument,
    mapping: resolving.ColumnsMapping,
    keep_as: str = "",
) -> OutcomeImport:
    """Say what the columns of a kept file mean, and of which instrument the results are; `keep_as` saves that for the next file."""
    _refuse_stranger(by, outcome_import, instrument)
    problems = mapping.problems(reading.read_table(content_of(outcome_import)))
    if problems:
        raise ValidationError(problems)
    outcome_import.instrument, outcome_import.columns = instrument, mapping.as_json()
    outcome_import.state = OutcomeImport.State.PREVIEW
    outcome_import.save(update_fields=["instrument", "columns", "state"])
    if keep_as.strip():
        ColumnMapping.objects.update_or_create(
            organization=outcome_import.organization, name=keep_as.strip()[:120],
            defaults={"instrument": instrument, "columns": mapping.as_json()},
        )  # fmt: skip
    return outcome_import


def _refuse_stranger(by: Person, outcome_import: OutcomeImport, instrument: Instrument) -> None:
    if not rules.may_keep_records(by, outcome_import.organization):
        raise PermissionDenied
    if not rules.may_keep_records(by, instrument.organization):
        raise PermissionDenied
    if outcome_import.state not in (OutcomeImport.State.PREVIEW, OutcomeImport.State.FAILED):
        raise ValidationError(_("This file is being taken in, or has been."))


def preview(outcome_import: OutcomeImport) -> Preview:
    """Read the whole file as it would be taken in, changing nothing."""
    table = reading.read_table(content_of(outcome_import))
    good, bad, problems = _resolve(outcome_import, table)
    values = [result.value for result in good]
    rows = table.rows()
    return Preview(
        columns=table.columns, encoding=table.encoding, rows_total=len(good) + bad, rows_good=len(good), rows_bad=bad,
        sample=[row.cells[: len(table.columns)] for row, _n in zip(rows, range(PREVIEW_ROWS), strict=False)],
        problems=problems[:20], low=min(values, default=None), high=max(values, default=None),
    )  # fmt: skip


def _resolve(
    outcome_import: OutcomeImport, table: reading.Table
) -> tuple[list[outcomes.Result], int, list[resolving.RowProblem]]:
    """The results in a file, how many rows are bad, and the first of them."""
    assert outcome_import.instrument is not None
    resolver = resolving.Resolver(
        table, resolving.mapping_from(outcome_import.columns), resolving.directory_of(outcome_import.organization),
        outcome_import.instrument,
    )  # fmt: skip
    good: list[outcomes.Result] = []
    problems: list[resolving.RowProblem] = []
    bad = 0
    lines = table.text.count("\n")
    for number, row in enumerate(table.rows(), 1):
        found = resolver.read(row)
        if isinstance(found, outcomes.Result):
            good.append(found)
        else:
            bad += 1
            if bad <= MOST_PROBLEMS:
                problems.append(found)
        if number % REPORT_EVERY == 0:
            report(done=number, total=max(lines, number))
    return good, bad, problems


def run_import(outcome_import: OutcomeImport) -> OutcomeImport:
    """Take a mapped file in. Safe to run twice: what is there already is left alone; a file that is done stays done."""
    if outcome_import.state == OutcomeImport.State.DONE:
        return outcome_import
    OutcomeImport.objects.filter(pk=outcome_import.pk).update(state=OutcomeImport.State.RUNNING)
    try:
        table = reading.read_table(content_of(outcome_import))
        good, bad, problems = _resolve(outcome_import, table)
        _take_in(outcome_import, good, bad, problems)
    except (Unreadable, ValidationError) as problem:
        reasons = problem.messages if isinstance(problem, ValidationError) else [str(problem)]
        _finish(outcome_import, state=OutcomeImport.State.FAILED, message=" ".join(reasons))
    if outcome_import.state == OutcomeImport.State.DONE:
        default_storage.delete(outcome_import.path)
    return outcome_import


@transaction.atomic
def _take_in(
    outcome_import: OutcomeImport, good: list[outcomes.Result], bad: int, problems: list[resolving.RowProblem]
) -> None:
    assert outcome_import.instrument is not None
    counts = outcomes.record_outcomes(
        by=None, instrument=outcome_import.instrument, results=good, corrects=True, outcome_import=outcome_import
    )
    reasons = Counter(problem.column for problem in problems)
    _finish(
        outcome_import, state=OutcomeImport.State.DONE, rows_total=len(good) + bad, rows_done=len(good),
        counts={**asdict(counts), "bad": bad, "columns": dict(reasons)}, problems=[each.as_json() for each in problems],
    )  # fmt: skip


def _finish(outcome_import: OutcomeImport, **changes: Any) -> None:
    changes["finished_at"] = timezone.now()
    for name, value in changes.items():
        setattr(outcome_import, name, value)
    outcome_import.save(update_fields=list(changes))


def refuse_repeated(outcome_import: OutcomeImport) -> None:
    """Refuse a file that has been taken in already, byte for byte, for the same instrument and with the same mapping."""
    same = OutcomeImport.objects.filter(
        organization=outcome_import.organization, instrument=outcome_import.instrument, sha256=outcome_import.sha256,
        columns=outcome_import.columns, state=OutcomeImport.State.DONE,
    ).exclude(pk=outcome_import.pk)  # fmt: skip
    before = same.first()
    if before is not None:
        raise ValidationError(
            _("This very file was taken in on %(day)s already."), params={"day": before.created_at.date().isoformat()}
        )


@transaction.atomic
def start_import(*, by: Person, outcome_import: OutcomeImport) -> OutcomeImport:
    """Say that a mapped file is to be taken in; the door that calls this puts the task off. Refuses what was taken in already."""
    if outcome_import.instrument is None:
        raise ValidationError(_("Say first what the columns mean."))
    _refuse_stranger(by, outcome_import, outcome_import.instrument)
    refuse_repeated(outcome_import)
    outcome_import.state, outcome_import.message = OutcomeImport.State.WAITING, ""
    outcome_import.save(update_fields=["state", "message"])
    return outcome_import


def import_file(
    *,
    by: Person,
    organization: Organization,
    path: Path,
    instrument: Instrument,
    mapping: resolving.ColumnsMapping | None = None,
) -> OutcomeImport:
    """Take a file in at once: for ``staffroom import outcomes``. Without a mapping, the one that its columns' names suggest.

    A file that was taken in already answers with that import and changes nothing. Raises ValidationError with all reasons.
    """
    content = path.read_bytes()
    kept = keep_file(by=by, organization=organization, name=path.name, content=content)
    wanted = mapping or resolving.guess(reading.read_table(content))
    try:
        map_columns(by=by, outcome_import=kept, instrument=instrument, mapping=wanted)
        refuse_repeated(kept)
        return run_import(kept)
    except ValidationError:
        forget_import(kept)
        raise


@transaction.atomic
def forget_import(outcome_import: OutcomeImport) -> None:
    """Remove a kept file that was never taken in, with its row; the file once it is certain that the row is gone."""
    path = outcome_import.path
    outcome_import.delete()
    transaction.on_commit(lambda: default_storage.delete(path))


@transaction.atomic
def drop_import(*, by: Person, outcome_import: OutcomeImport) -> None:
    """Change one's mind about a file that was kept but not taken in."""
    if not rules.may_keep_records(by, outcome_import.organization):
        raise PermissionDenied
    if outcome_import.state not in (OutcomeImport.State.PREVIEW, OutcomeImport.State.FAILED):
        raise ValidationError(_("This file is being taken in, or has been."))
    forget_import(outcome_import)


def forget_old_previews() -> int:
    """Remove files that were looked at and then left alone for a week: they hold results of students."""
    stale = OutcomeImport.objects.filter(
        state__in=[OutcomeImport.State.PREVIEW, OutcomeImport.State.FAILED],
        created_at__lt=timezone.now() - PREVIEWS_WAIT,
    )  # fmt: skip
    for each in stale:
        forget_import(each)
    return len(stale)
