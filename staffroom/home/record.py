"""Everything that is stored about a person, kind by kind: the questions behind "My record".

Whose a row is, its declaration says (`about`). All kinds are counted in one question; only kinds of which there is something are read.
Where `about` follows from the person's number alone, which is tried and not believed, the questions are prepared; the others are built
each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, Q, QuerySet, prefetch_related_objects

from staffroom.people import personal
from staffroom.people.models import Person
from staffroom.people.personal import PersonalData
from staffroom.people.prepared import Prepared

type Question = tuple[str, tuple[Any, ...]]


def rows_of(person: Person, declaration: PersonalData) -> QuerySet[Any]:
    """All rows of one kind that concern a person, the newest first."""
    return _rows(declaration, declaration.about(person))


def newest_of(person: Person, declaration: PersonalData, most: int) -> list[Any]:
    """The newest of them, with the things that they are about at hand."""
    if not most:
        return []
    ready = _ready(declaration)
    rows = ready(person.pk, most=most) if ready else list(rows_of(person, declaration)[:most])
    things = [field.name for field in declaration.model._meta.private_fields if isinstance(field, GenericForeignKey)]
    prefetch_related_objects(rows, *things)
    if declaration.gather:
        declaration.gather(rows)
    return rows


def kinds_of(person: Person) -> list[tuple[PersonalData, int]]:
    """The kinds of which there is something, and how much; one question for all kinds."""
    kinds = list(personal.declarations())
    asked = [(place, *_counting(each, person)) for place, each in enumerate(kinds)]
    parts = (f"SELECT {place}, COUNT(*) FROM ({sql}) AS kind_{place}" for place, sql, _ in asked if sql)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [value for _, _, values in asked for value in values])
        counts = dict(cursor.fetchall())
    return [(kind, counts[place]) for place, kind in enumerate(kinds) if counts.get(place)]


def _counting(declaration: PersonalData, person: Person) -> Question:
    ready = _ready(declaration)
    if ready:
        return ready.as_sql(person.pk, most=0)
    try:
        return _numbers(declaration, declaration.about(person)).query.sql_with_params()
    except EmptyResultSet:
        return "", ()


def _numbers(declaration: PersonalData, about: Q) -> QuerySet[Any, Any]:
    return declaration.model._default_manager.filter(about).order_by().distinct().values("pk")


def _rows(declaration: PersonalData, about: Q) -> QuerySet[Any]:
    model = declaration.model
    matching = model._default_manager.filter(about).values("pk")
    related = {field.name for field in model._meta.fields if field.many_to_one} | set(declaration.related)
    rows = model._default_manager.filter(pk__in=matching).order_by("-pk")
    return rows.select_related(*sorted(related)) if related else rows


_prepared: dict[type[Model], Prepared[Any] | None] = {}


def _ready(declaration: PersonalData) -> Prepared[Any] | None:
    """The question for one kind: its numbers (`most=0`) or its newest rows. None where it takes more of a person than their number."""
    if declaration.model not in _prepared:
        is_simple = _takes_the_number_alone(declaration.about)
        _prepared[declaration.model] = Prepared(_question_for(declaration)) if is_simple else None
    return _prepared[declaration.model]


def _question_for(declaration: PersonalData) -> Callable[..., QuerySet[Any, Any]]:
    def question(person: int, *, most: int) -> QuerySet[Any, Any]:
        about = declaration.about(Person(pk=person))
        return _rows(declaration, about)[:most] if most else _numbers(declaration, about)

    return question


def _takes_the_number_alone(about: Callable[[Person], Q]) -> bool:
    """Whether two people who differ in everything but their number are asked about alike, and the database is not asked for it."""
    one = Person(pk=7, email="one@example.org", given_name="One", family_name="A", source_id="1", is_active=True)
    other = Person(pk=7, email=None, given_name="Other", preferred_name="B", is_active=False, district_id=3)
    try:
        with connection.execute_wrapper(_refuse):
            return bool(about(one) == about(other)) and about(one) != about(Person(pk=8))
    except _Asked:
        return False


class _Asked(Exception):
    """The database was asked while a question was made."""


def _refuse(*_: Any) -> Any:
    raise _Asked
