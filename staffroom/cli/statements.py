"""Statements of another store, taken into the activity ledger by the host: `staffroom import statements`."""

from __future__ import annotations

import argparse
import gzip
import sys
import time
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from staffroom.cli import Failure, Mistake
from staffroom.cli.moving import prepared, readable

if TYPE_CHECKING:
    from staffroom.exchange.actions.importing import Complain, Counts
    from staffroom.people.models import Organization
    from staffroom.permissions.models import Tool

TOLD_EVERY_S = 2.0


def import_statements(told: argparse.Namespace) -> int:
    """Take statements in, one a line; lines that are not taken are written to a report with their reasons."""
    path = readable(told.file)
    prepared()
    tool = _tool(told)
    report = Path(told.report).expanduser() if told.report else path.with_name(f"{path.name}.problems.txt")
    from staffroom.exchange.actions import importing

    done = importing.Counts()
    begun = told_at = time.monotonic()
    with _report(report) as complain:
        try:
            with closing(_lines(path, importing.LONGEST)) as lines:
                for done in importing.take_in(tool=tool, lines=lines, complain=complain):
                    if not told.quiet and time.monotonic() - told_at > TOLD_EVERY_S:
                        told_at = time.monotonic()
                        _tell(done, begun)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise Failure(
                f"{path.name} is damaged ({error}). Before that: {done}. Get it anew and run this again"
            ) from error
    if not told.quiet:
        print(f"{path.name}: {done}.")
    if done.refused:
        print(f"{done.refused:,} lines were not taken; {report} says which and why.")
    return 0


def _tell(done: Counts, begun: float) -> None:
    print(f"{done}; {done.read / (time.monotonic() - begun):,.0f} a second", file=sys.stderr, flush=True)


def _lines(path: Path, longest: int) -> Generator[tuple[int, bytes]]:
    """The lines of a file with their numbers; of one that is too long only its beginning, which is longer than allowed."""
    with _opened(path) as file:
        number = 0
        while line := file.readline(longest + 2):
            number += 1
            yield number, line
            while len(line) > longest and not line.endswith(b"\n"):
                line = file.readline(longest + 2)


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", (gzip.open if is_packed else open)(path, "rb"))


@contextmanager
def _report(path: Path) -> Iterator[Complain]:
    """Somewhere to say what is wrong: a file that is made for the first complaint, in the place of the last run's."""
    path.unlink(missing_ok=True)
    file: IO[str] | None = None

    def complain(number: int, reason: str) -> None:
        nonlocal file
        file = file or path.open("w", encoding="utf-8")
        file.write(f"line {number}: {' '.join(reason.split())}\n")
        file.flush()

    try:
        yield complain
    finally:
        if file is not None:
            file.close()


def _tool(told: argparse.Namespace) -> Tool:
    """The tool whose statements they are."""
    from staffroom.exchange.actions import keys
    from staffroom.permissions.models import Tool

    tools = Tool.objects.filter(name__iexact=told.tool, retired_at=None).select_related("organization")
    place = _organization(told.organization) if told.organization else None
    if place is not None:
        tools = tools.filter(organization=place)
    found = list(tools[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise Mistake(f"several organizations have a tool “{told.tool}”: say which with --organization NAME")
    if told.add_tool and place is not None:
        return keys.add_tool(by=None, organization=place, name=told.tool)
    known = ", ".join(str(each) for each in Tool.objects.filter(retired_at=None)[:20])
    raise Mistake(
        f"there is no tool “{told.tool}”. There are: {known or 'none yet'}. With --organization NAME --add-tool it is added"
    )


def _organization(name: str) -> Organization:
    from django.db.models import Q

    from staffroom.people.models import Organization

    found = list(Organization.objects.filter(Q(name__iexact=name) | Q(slug=name))[:2])
    if len(found) != 1:
        raise Mistake(
            f"there is {'no' if not found else 'more than one'} organization called “{name}”; its slug will do, too"
        )
    return found[0]
