"""Where one can go. Rooms register their entries from `apps.ready()`; the base page shows those that a person may see.

    navigation.register(Entry("lessons", _("Lessons"), "clapperboard", "lessons:list", 20, count=new_notes_for))

`count` answers for a person what waits for them: a number, a queryset, or (best, since it is asked on every page) a question in SQL
that is ready with what goes into it. All questions are counted together in one query.
Where the exact number is dear, `count` may count too many and `surely`, a second such question, too few: where they differ,
`exactly` answers the number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise

type Person = Any  # whoever is signed in, or Django's AnonymousUser: rooms above know the class
type Question = tuple[str, Sequence[Any]]
type Waiting = QuerySet[Any] | Question | int

ON_PHONE = 5  # places in the bottom bar; when there are more entries, the last place is "More"


def anyone(person: Person) -> bool:
    return True


def signed_in(person: Person) -> bool:
    return bool(person is not None and person.is_authenticated)


@dataclass(frozen=True)
class Entry:
    """One place to go. `place`: the main navigation, the bell (the first one wins), or the menu of the account."""

    key: str
    label: str | Promise
    icon: str
    url_name: str
    order: int = 100
    guard: Callable[[Person], bool] = signed_in
    count: Callable[[Person], Waiting] | None = None
    surely: Callable[[Person], Waiting] | None = None
    exactly: Callable[[Person], int] | None = None
    place: Literal["main", "bell", "account"] = "main"


@dataclass(frozen=True)
class Link:
    """An entry as one person sees it on one page."""

    key: str
    label: str
    icon: str
    url: str
    count: int
    is_current: bool

    @property
    def count_label(self) -> str:
        return "99+" if self.count > 99 else str(self.count)


@dataclass(frozen=True)
class Navigation:
    """All links of one page: `bar` is what fits on a phone, `rest` what is behind "More" there."""

    main: list[Link]
    account: list[Link]
    bell: Link | None

    def __hash__(self) -> int:
        return hash((*self.main, *self.account, self.bell))

    @property
    def places(self) -> Navigation:
        """Only the main navigation."""
        return Navigation(self.main, [], None)

    @property
    def bar(self) -> list[Link]:
        return self.main if len(self.main) <= ON_PHONE else self.main[: ON_PHONE - 1]

    @property
    def rest(self) -> list[Link]:
        return self.main[len(self.bar) :]


_entries: dict[str, Entry] = {}


def register(entry: Entry) -> None:
    """Offer an entry; a second one with the same key is a mistake."""
    if _entries.get(entry.key, entry) != entry:
        raise ValueError(f"Navigation already has an entry “{entry.key}”.")
    _entries[entry.key] = entry


def entries_for(person: Person) -> list[Entry]:
    """The entries that this person may see, in their order."""
    return sorted((e for e in _entries.values() if e.guard(person)), key=lambda e: (e.order, e.key))


def navigation_for(request: HttpRequest) -> Navigation:
    """The links for whoever asks; counts are made for those who are signed in only."""
    entries = entries_for(getattr(request, "user", None))
    counts = waiting_for(request)
    urls = {entry.key: reverse(entry.url_name) for entry in entries}
    current = _current(request.path, urls)
    links = {
        place: [
            Link(e.key, str(e.label), e.icon, urls[e.key], counts.get(e.key, 0), e.key == current)
            for e in entries
            if e.place == place
        ]
        for place in ("main", "account", "bell")
    }
    return Navigation(links["main"], links["account"], next(iter(links["bell"]), None))


def waiting_for(request: HttpRequest) -> dict[str, int]:
    """How much waits behind each entry for whoever asks; counted once in a request."""
    person = getattr(request, "user", None)
    if "_waiting" not in request.__dict__:
        request.__dict__["_waiting"] = counts_for(person, entries_for(person)) if signed_in(person) else {}
    counts: dict[str, int] = request.__dict__["_waiting"]
    return counts


def counts_for(person: Person, entries: Iterable[Entry]) -> dict[str, int]:
    """How much waits behind each entry."""
    entries = list(entries)
    waiting = {entry.key: entry.count(person) for entry in entries if entry.count}
    waiting |= {f"{entry.key} surely": entry.surely(person) for entry in entries if entry.surely}
    counts = {key: value for key, value in waiting.items() if isinstance(value, int)}
    counts |= _count_together({key: _question(value) for key, value in waiting.items() if not isinstance(value, int)})
    unsure = {e.key: e.exactly for e in entries if e.exactly and counts[e.key] != counts.get(f"{e.key} surely", 0)}
    return counts | {key: exactly(person) for key, exactly in unsure.items()}


def _count_together(questions: dict[str, Question]) -> dict[str, int]:
    """One query for all: SELECT 0, COUNT(*) FROM (…) UNION ALL SELECT 1, COUNT(*) FROM (…) …; what is empty waits for nobody."""
    asked = {key: question for key, question in questions.items() if question[0]}
    if not asked:
        return dict.fromkeys(questions, 0)
    each = (
        f"SELECT {place}, COUNT(*) FROM ({sql}) AS waiting_{place}" for place, (sql, _) in enumerate(asked.values())
    )
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each), [value for _, values in asked.values() for value in values])
        found = dict(cursor.fetchall())
    return dict.fromkeys(questions, 0) | {key: found[place] for place, key in enumerate(asked)}


def _question(waiting: QuerySet[Any] | Question) -> Question:
    """A queryset as SQL; empty SQL when nothing can fit."""
    if not isinstance(waiting, QuerySet):
        return waiting
    try:
        return waiting.order_by().values("pk").distinct().query.sql_with_params()
    except EmptyResultSet:
        return "", ()


def _current(path: str, urls: dict[str, str]) -> str | None:
    """The entry whose address is the longest beginning of this page's; "/" only when it is the page itself."""
    fitting = [key for key, url in urls.items() if path == url or (url != "/" and path.startswith(url))]
    return max(fitting, key=lambda key: len(urls[key]), default=None)
