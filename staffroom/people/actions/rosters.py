"""Deeds on rosters: taking in a file set, with its problems told row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO

from django.core.exceptions import PermissionDenied
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from staffroom.people import rules
from staffroom.people.actions.roster_writing import Writer
from staffroom.people.models import Course, Organization, Person, RosterImport, RosterProblem, Section, Term
from staffroom.people.rosters import archive, oneroster, plain, tables
from staffroom.people.rosters import roster as of
from staffroom.people.rosters.roster import Roster, RosterRefused
from staffroom.people.signals import deed_done

MAX_PACKED = 300 * 1024**2
KEPT_DAYS = 7  # how long a file waits that was uploaded and never taken in
MAX_PROBLEMS = 20_000  # kept of one roster; how many more there are is counted


def receive_roster(*, by: Person | None, district: Organization, name: str, file: IO[bytes]) -> RosterImport:
    """Keep a file set, read it once, and return its import, waiting, with what it would bring and what is wrong with it.

    Raises RosterRefused if it cannot be read as a whole; then nothing is kept. `by` None: the host, at the command line.
    """
    return _receive(by, district, name, file)[0]


def _receive(by: Person | None, district: Organization, name: str, file: IO[bytes]) -> tuple[RosterImport, Roster]:
    if by is not None and not rules.may_administer(by, district):
        raise PermissionDenied
    file.seek(0, 2)
    if file.tell() > MAX_PACKED:
        raise RosterRefused(_("The file is larger than 300 MB."))
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    roster = read_roster(file, name, district, lambda rows: None)
    file.seek(0)
    rows = _count_rows(file)
    file.seek(0)
    suffix = ".csv" if roster.layout == plain.LAYOUT else ".zip"
    path = default_storage.save(f"rosters/{timezone.now():%Y%m%d}-{get_random_string(24)}{suffix}", File(file))
    _forget_old_files(district)
    with transaction.atomic():
        made = RosterImport.objects.create(
            district=district, imported_by=by, name=name[-255:], path=path, sha256=sha256, layout=roster.layout,
            is_delta=roster.is_delta, counts={"found": roster.counts}, rows_total=rows,
        )  # fmt: skip
        _keep_problems(made, roster.problems)
    return made, roster


def import_roster(
    *, by: Person | None, district: Organization, path_or_file: str | Path | IO[bytes], name: str = "",
    may_end_most: bool = False,
) -> RosterImport:  # fmt: skip
    """Take in a file set at once: an OneRoster zip or a plain CSV. Raises RosterRefused; then nothing was changed."""
    with _opened(path_or_file) as file:
        name = name or Path(getattr(file, "name", "") or "roster").name
        waiting, roster = _receive(by, district, name, file)
    with _failure_noted(waiting):
        _write(waiting, roster, may_end_most)
    return waiting


@contextmanager
def _opened(path_or_file: str | Path | IO[bytes]) -> Iterator[IO[bytes]]:
    if isinstance(path_or_file, str | Path):
        with open(path_or_file, "rb") as file:
            yield file
    else:
        yield path_or_file


def take_roster(waiting: RosterImport, *, may_end_most: bool = False) -> RosterImport:
    """Do a kept import: read with progress, then write in one transaction. May be done again at any time: same tables.

    Raises RosterRefused, after noting it on the import, if the file set cannot be taken; then nothing was changed. Whoever was
    killed right after the commit has left the file: it goes now.
    """
    if waiting.state == RosterImport.State.DONE:
        default_storage.delete(waiting.path)
        return waiting
    may_end_most = may_end_most or waiting.may_end_most
    _note(waiting, state=RosterImport.State.RUNNING, message=_("Reading"), rows_done=0, may_end_most=may_end_most)
    with _failure_noted(waiting):
        with default_storage.open(waiting.path) as file:
            _note(waiting, rows_total=_count_rows(file))
            roster = read_roster(file, waiting.name, waiting.district, _progress(waiting))
        _note(waiting, rows_done=waiting.rows_total, message=_("Writing"))
        _write(waiting, roster, may_end_most)
    return waiting


def _forget_old_files(district: Organization) -> None:
    """Remove files that were looked at and never taken in."""
    before = timezone.now() - timedelta(days=KEPT_DAYS)
    for old in RosterImport.objects.filter(district=district, created_at__lt=before).exclude(path=""):
        default_storage.delete(old.path)
        RosterImport.objects.filter(pk=old.pk).update(path="")


@contextmanager
def _failure_noted(waiting: RosterImport) -> Iterator[None]:
    try:
        yield
    except (RosterRefused, FileNotFoundError) as refused:
        is_gone = isinstance(refused, FileNotFoundError)
        message = _("The uploaded file is no longer there. Upload it again.") if is_gone else str(refused)
        _note(waiting, state=RosterImport.State.FAILED, message=message, finished_at=timezone.now())
        raise RosterRefused(message) from refused


def break_off(waiting: RosterImport) -> None:
    """Note that an import ended for a reason that is not the file's: nothing was changed, and it can be started again."""
    words = _(
        "It broke off here, not because of the file. Start it again; if that does not help, tell whoever hosts this site."
    )
    _note(waiting, state=RosterImport.State.FAILED, message=words, finished_at=timezone.now())


def _write(waiting: RosterImport, roster: Roster, may_end_most: bool) -> None:
    with transaction.atomic():
        # One roster of a district at a time; whoever was taken over and comes back finds it done.
        Organization.objects.select_for_update(no_key=True).get(pk=waiting.district_id)
        if RosterImport.objects.filter(pk=waiting.pk, state=RosterImport.State.DONE).exists():
            waiting.refresh_from_db()
            return
        writer = Writer(waiting.district, roster, may_end_most)
        writer.write()
        waiting.counts = {"found": roster.counts, "done": dict(sorted(writer.counts.items()))}
        waiting.problems.all().delete()
        _keep_problems(waiting, [*roster.problems, *writer.problems])
        _note(
            waiting, state=RosterImport.State.DONE, message="", counts=waiting.counts, finished_at=timezone.now(),
            layout=roster.layout, is_delta=roster.is_delta, rows_done=waiting.rows_total,
        )  # fmt: skip
        # What was taken in is in the tables now: the file, full of names, is not kept beside them.
        transaction.on_commit(lambda: default_storage.delete(waiting.path))
        deed_done.send(RosterImport, by=waiting.imported_by, verb="imported", object=waiting)


def read_roster(file: IO[bytes], name: str, district: Organization, progress: tables.Progress) -> Roster:
    """A file set of either layout, told apart by its content. Raises RosterRefused."""
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if not start:
        raise RosterRefused(_("The file is empty."))
    if start.startswith(b"PK"):
        with archive.opened(file) as found:
            return oneroster.read(found, _known(district), progress)
    return plain.read(file, name, progress)


def _known(district: Organization) -> oneroster.Known:
    inside = Organization.objects.filter(path__startswith=district.path).order_by()
    rostered = ~Q(source_id="")
    schools = set(inside.filter(rostered, kind=Organization.Kind.SCHOOL).values_list("source_id", flat=True))
    found = {
        of.PLACES: inside.filter(rostered),
        of.TERMS: Term.objects.filter(rostered, organization__in=inside),
        of.COURSES: Course.objects.filter(rostered, organization__in=inside),
        of.PERSONS: Person.objects.filter(rostered, district=district),
        of.SECTIONS: Section.objects.filter(rostered, school__in=inside),
    }
    ids = {kind: set(things.order_by().values_list("source_id", flat=True)) for kind, things in found.items()}
    return oneroster.Known({**ids, "schools": schools})


def _count_rows(file: IO[bytes]) -> int:
    """About how many rows there are, to show how far reading is: line ends of the tables that are read."""
    if file.read(2) != b"PK":
        file.seek(0)
        return _line_ends(file)
    with archive.opened(file) as found:
        total = 0
        for name in oneroster.FILES:
            if f"{name.lower()}.csv" in found:
                zipped, entry = found[f"{name.lower()}.csv"]
                with zipped.open(entry) as stream:
                    total += _line_ends(stream)
        return total


def _line_ends(stream: IO[bytes]) -> int:
    return sum(block.count(b"\n") for block in iter(lambda: stream.read(1024**2), b""))


def _progress(waiting: RosterImport) -> Callable[[int], None]:
    def report(rows: int) -> None:
        waiting.rows_done = min(waiting.rows_done + rows, waiting.rows_total)
        _note(waiting, rows_done=waiting.rows_done)

    return report


def _note(waiting: RosterImport, **fields: object) -> None:
    """Write on an import that is not done: what is done stays as it was written."""
    for name, value in fields.items():
        setattr(waiting, name, value)
    RosterImport.objects.filter(pk=waiting.pk).exclude(state=RosterImport.State.DONE).update(**fields)


def _keep_problems(waiting: RosterImport, problems: list[of.Problem]) -> None:
    kept = [
        RosterProblem(
            roster_import=waiting, file=problem.file[:100] or waiting.name[:100], line=problem.line,
            column=problem.column[:100], reason=problem.reason[:500],
        )
        for problem in problems[:MAX_PROBLEMS]
    ]  # fmt: skip
    RosterProblem.objects.bulk_create(kept, batch_size=2000)
