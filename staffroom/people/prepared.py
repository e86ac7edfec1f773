"""Questions that are asked at every request: Django builds each once, and from then on only fills in the values.

    @prepared
    def _held_by(person: int, today: date) -> QuerySet[Membership]:
        return Membership.objects.filter(lasting(today), person=person).select_related("organization")

    held = _held_by(viewer.pk, timezone.localdate())       # a list

To build a question and to write it as SQL costs one to ten milliseconds, to ask it a tenth of one. So the function is called once,
with stand-ins for its values, and the places where these arrive in the SQL are kept: no answer is, and nothing about anybody.

A question depends on its values alone. They are numbers, texts, keys, dates, moments, or tuples of such; a moment that is not among
them (`timezone.now()` in a rule) would stand still, and a value that does not arrive would be forgotten: both are refused. What
changes the question itself, such as how many rows it is about, is told by name: for each there is a question of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import update_wrapper
from itertools import count
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connections, models, router
from django.db.models.sql.compiler import SQLCompiler

type Values = tuple[Any, ...]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class _Place:
    """Where a value goes in the SQL: which of the values, all told one after the other."""

    number: int
    is_beginning: bool = False  # of a text: `LIKE 'value%'`


@dataclass(frozen=True)
class _Ready:
    """A question as it was built: its SQL, and what goes into it."""

    asked: models.QuerySet[Any]
    compiler: SQLCompiler
    sql: str
    params: Values


class Prepared[M: models.Model]:
    """One question for all values of equal shape."""

    def __init__(self, build: Callable[..., models.QuerySet[M, Any]]) -> None:
        self._build = build
        self._ready: dict[Values, _Ready | None] = {}
        update_wrapper(self, build)

    def __call__(self, *values: Any, **form: Any) -> list[Any]:
        """The answer."""
        values = _padded(values)
        ready, using = self._ready_for(values, form)
        if ready is None:
            return []
        compiler = copy(ready.compiler)
        compiler.connection, sql, params = connections[using], ready.sql, self._filled(ready, values, using)
        compiler.as_sql = lambda *_, **__: (sql, params)  # type: ignore[method-assign]
        query: Any = copy(ready.asked.query)
        query.get_compiler = lambda *_, **__: compiler
        asked: Any = type(ready.asked)(ready.asked.model, query, using)
        asked._iterable_class, asked._fields = ready.asked._iterable_class, ready.asked._fields  # type: ignore[attr-defined]
        return list(asked)

    def as_sql(self, *values: Any, **form: Any) -> tuple[str, Values]:
        """The question as SQL with what goes into it, to be part of another; empty when nothing can fit."""
        values = _padded(values)
        ready, using = self._ready_for(values, form)
        return (ready.sql, self._filled(ready, values, using)) if ready else ("", ())

    def _ready_for(self, values: Values, form: dict[str, Any]) -> tuple[_Ready | None, str]:
        using = router.db_for_read(models.Model)
        shapes = (len(value) if isinstance(value, tuple) else type(value) for value in values)
        shape = (using, *shapes, *form.items())
        if shape not in self._ready:
            self._ready[shape] = self._made(values, form, using)
        return self._ready[shape], using

    def _made(self, values: Values, form: dict[str, Any], using: str) -> _Ready | None:
        numbers = count()
        standing = tuple(
            tuple(_stand_in(each, next(numbers)) for each in value)
            if isinstance(value, tuple)
            else _stand_in(value, next(numbers))
            for value in values
        )
        asked = self._build(*standing, **form).using(using)
        compiler = asked.query.get_compiler(using)
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            return None
        whole = {each: _Place(number) for number, each in enumerate(_flat(standing, using))}
        begun = {f"{each}%": _Place(place.number, is_beginning=True) for each, place in whole.items()}
        found = tuple(
            (whole | begun).get(each, each) if isinstance(each, (int, str, date, UUID)) else each for each in params
        )
        arrived = {each.number for each in found if isinstance(each, _Place)}
        self._check({place.number for place in whole.values()} - arrived, found)
        return _Ready(asked, compiler, sql, found)

    def _check(self, lost: set[int], params: Values) -> None:
        if lost:
            raise LookupError(f"{self.__name__}: values do not arrive in the question.")  # type: ignore[attr-defined]
        if any(isinstance(each, date) or (isinstance(each, str) and _MOMENT.match(each)) for each in params):
            raise LookupError(f"{self.__name__}: a date in the question is none of its values.")  # type: ignore[attr-defined]

    def _filled(self, ready: _Ready, values: Values, using: str) -> Values:
        given = list(_flat(values, using))
        like: Callable[[str], str] = connections[using].ops.prep_for_like_query
        return tuple(
            each
            if not isinstance(each, _Place)
            else f"{like(given[each.number])}%"
            if each.is_beginning
            else given[each.number]
            for each in ready.params
        )


def prepared[M: models.Model](build: Callable[..., models.QuerySet[M, Any]]) -> Prepared[M]:
    return Prepared(build)


def _padded(values: Values) -> Values:
    """Long handfuls have 16, 32, 64 … values, the last one again and again: few shapes, and the same answer."""
    return tuple(
        value + value[-1:] * ((1 << (len(value) - 1).bit_length()) - len(value))
        if isinstance(value, tuple) and len(value) > 8
        else value
        for value in values
    )


def _stand_in(value: Any, number: int) -> Any:
    """A value of the same kind that stands nowhere else."""
    match value:
        case bool():
            raise TypeError("Yes or no changes the question: make two of it.")
        case int():
            return 8_111_222_333_444_000_000 + number
        case UUID():
            return UUID(int=0x8B7C_0A52_0000 << 80 | number)
        case str():
            return f"stand-in {number} 8b7c0a52"
        case datetime():
            return datetime(1601, 3, 5, 7, 9, 11, 131719, tzinfo=UTC) + timedelta(days=number)
        case date():
            return date(1501, 3, 5) + timedelta(days=number)
    raise TypeError(f"A question cannot be prepared for {value!r}.")


def _flat(values: Iterable[Any], using: str) -> Iterable[Any]:
    """The values one after the other, as the database takes them."""
    ops: Any = connections[using].ops
    for value in values:
        match value:
            case tuple():
                yield from value
            case UUID():
                yield value if connections[using].features.has_native_uuid_field else value.hex
            case datetime():
                yield ops.adapt_datetimefield_value(value)
            case date():
                yield ops.adapt_datefield_value(value)
            case _:
                yield value
