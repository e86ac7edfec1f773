"""Reads that span rooms: what now, and everything that is stored about me."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from staffroom.conversations import queries as conversations
from staffroom.conversations.models import Notice
from staffroom.home.record import kinds_of, newest_of, rows_of
from staffroom.people import personal
from staffroom.people import queries as people
from staffroom.people.models import Person, Role
from staffroom.people.personal import PersonalData
from staffroom.permissions.models import Erasure
from staffroom.seeing.lessons import queries as lessons

PER_KIND = 5
SHOWN_KINDS = 3
WATCHERS = (Role.TEACHER, Role.MENTOR, Role.COACH)
LEADERS = (Role.SCHOOL_LEADER, Role.DISTRICT_LEADER)


@dataclass(frozen=True)
class Step:
    """The one next step that the front page offers."""

    eyebrow: str
    icon: str
    title: str
    text: str
    label: str
    url: str


def roles_of(person: Person) -> set[str]:
    return {held.role for held in people.memberships_of(person)}


def next_step(person: Person, notice: Notice | None) -> Step:
    """What now: an answer that waits, a lesson on its way, a colleague's clip; else the first deed of one's role."""
    roles = roles_of(person)
    if notice is not None:
        return _step_of_notice(notice)
    if roles & {Role.ADMINISTRATOR} and not people.sections_for(person).exists():
        return Step(
            _("First"), "users", _("Bring your people in"), _("Import the roster; everything else starts from it."),
            _("Import a roster"), reverse("people:rosters"),
        )  # fmt: skip
    if roles & set(LEADERS):
        return Step(
            _("What works"), "chart-line", _("See what each activity changed, and what it cost"),
            _("For every activity: who took part, the cost, the effect and how sure it is."),
            _("Open What works"), reverse("impact:activities"),
        )  # fmt: skip
    if roles == {Role.ADMINISTRATOR}:
        return Step(
            _("Your site"), "activity", _("See that every part works"),
            _("Web, workers, storage, the ledger: how each is now, and what to do where something is wrong."),
            _("Open Health"), reverse("home:parts"),
        )  # fmt: skip
    return _step_of_watcher(person, roles)


def _step_of_notice(notice: Notice) -> Step:
    from staffroom.conversations.notices import sentence_of

    return Step(
        _("Waiting for you"),
        "bell",
        sentence_of(notice),
        date_format(timezone.localtime(notice.created_at), "DATETIME_FORMAT"),
        _("Open"),
        reverse("conversations:open_notice", args=[notice.pk]),
    )


def _step_of_watcher(person: Person, roles: set[str]) -> Step:
    newest = lessons.lessons_for(person).first()
    if newest is None and roles and not roles & {Role.TEACHER}:
        return Step(
            _("Lent to you"), "scissors", _("Watch what colleagues have shared"),
            _("Clips stand here for as long as their owners lend them."), _("Open lessons"), reverse("lessons:shared"),
        )  # fmt: skip
    if newest is None:
        return Step(
            _("First"), "video", _("Record a lesson, for your eyes only"),
            _("Ten minutes are enough. Nobody else can see it until you share a clip."),
            _("Record or upload"), reverse("lessons:new"),
        )  # fmt: skip
    return Step(
        _("Go on"), "play", newest.title, _("Watch it again and mark what you would do differently."),
        _("Open the lesson"), reverse("lessons:lesson", args=[newest.slug]),
    )  # fmt: skip


def newest_notices(person: Person) -> list[Notice]:
    """What waits, and has waited the shortest: the first is the next step."""
    return list(conversations.notices_for(person, unread_only=True)[:5])


@dataclass(frozen=True)
class Stored:
    """One stored object as "My record" shows it."""

    text: str
    author: str
    readers: str
    ends: date | str
    page: str
    is_hidden: bool


@dataclass(frozen=True)
class Kind:
    """All stored objects of one kind, with what was declared about it, and the newest of them where they are shown at once."""

    declaration: PersonalData
    count: int
    rows: list[Stored]

    @property
    def key(self) -> str:
        return self.declaration.model._meta.label_lower

    @property
    def more(self) -> int:
        return self.count - len(self.rows)


def record_of(person: Person, *, per_kind: int = PER_KIND) -> list[Kind]:
    """Everything stored about a person, kind by kind; kinds of which there is nothing are left out.

    The first kinds, which a person made or was lent, come with their newest objects; every kind has a page of its own.
    """
    return [
        Kind(
            declaration,
            count,
            [
                stored(declaration, row, person)
                for row in newest_of(person, declaration, per_kind if number < SHOWN_KINDS else 0)
            ],
        )
        for number, (declaration, count) in enumerate(kinds_of(person))
    ]


def kinds_on(receipt: Erasure) -> list[tuple[str, int]]:
    """What a receipt counts, in the words of "My record"."""
    words = {each.model._meta.label: str(each.what) for each in personal.declarations()}
    return [(words.get(label, label), count) for label, count in receipt.counts.items()]


def stored(declaration: PersonalData, row: Any, person: Person) -> Stored:
    """One object in words; what is kept from the person shows as existing only."""
    is_hidden = bool(declaration.hide and declaration.hide(row, person))
    field = declaration.ends_field
    return Stored(
        text=_("Somebody's private note about you exists here.") if is_hidden else str(declaration.describe(row)),
        author=str(declaration.author(row)),
        readers=str(declaration.readers(row)),
        ends=getattr(row, field) if field else str(declaration.ends),
        page="" if is_hidden or not declaration.page else declaration.page(row),
        is_hidden=is_hidden,
    )


def record_lines(person: Person) -> Iterator[tuple[str, ...]]:
    """My record as rows of a table: kind, what, why, author, readers, end."""
    for declaration in personal.declarations():
        for row in rows_of(person, declaration).iterator(chunk_size=500):
            line = stored(declaration, row, person)
            yield (
                str(declaration.what), line.text, str(declaration.why), line.author, line.readers, str(line.ends),
            )  # fmt: skip


def exported(person: Person) -> Iterator[tuple[str, list[dict[str, Any]], list[tuple[str, Any]]]]:
    """For each kind: its file name, its rows as JSON-ready values, and the files that go along."""
    for declaration in personal.declarations():
        rows, files = [], []
        for row in rows_of(person, declaration).iterator(chunk_size=500):
            shown = stored(declaration, row, person)
            values: dict[str, Any] = {"what": shown.text, "author": shown.author, "readers": shown.readers,
                                      "ends": str(shown.ends)}  # fmt: skip
            if not shown.is_hidden and declaration.export:
                values["content"] = declaration.export(row)
            if not shown.is_hidden and declaration.files:
                files.append(declaration.files(row))
            rows.append(values)
        if rows:
            yield declaration.model._meta.label_lower, rows, list(itertools.chain.from_iterable(files))
