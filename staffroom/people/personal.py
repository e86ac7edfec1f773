"""What is stored about people: every model that holds personal data declares what, why, how long, and how it ends.

A room declares its models in ``apps.ready()``; a promise test walks all models and refuses one that is neither declared
nor named impersonal. "My record", export, retention and erasure read only these declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q


@dataclass(frozen=True, kw_only=True)
class PersonalData:
    """How one model holds personal data.

    about: the rows that concern a person, as ``about(person) -> Q``.
    erase: takes the queryset of these rows and the person; removes or anonymizes; returns how many rows it touched.
    describe: a row of "My record" and of the export: a plain sentence for one object.
    export: open-format values of one object (JSON-ready); None exports ``describe`` only.
    author, readers: who wrote it and who can read it now, in plain words for one object.
    ends: name of the date field at which the object ends, or a plain sentence when it has none.
    owner: whose the object is, to be warned before it ends; None: nobody is warned.
    purge: takes the queryset of rows whose end has passed and removes them with all that hangs on them; returns how many.
    hide: whether an object's content is kept from the person it is about (a coach's private note shows as existing only).
    files: (name, opened file or path) pairs of one object, for the export.
    page: address of the object for its owner, if it has one.
    related: what ``describe`` and the others read beyond the row and its own foreign keys, as for ``select_related``.
    gather: asks at once what the others tell of several rows, and leaves it on them; without it each row asks for itself.
    opened_page: address at which two administrators see it after they have broken the glass, if there is one.
    """

    model: type[models.Model]
    what: Any
    why: Any
    how_long: Any
    about: Callable[[Any], Q]
    erase: Callable[[models.QuerySet[Any], Any], int]
    describe: Callable[[Any], str]
    author: Callable[[Any], str]
    readers: Callable[[Any], str]
    export: Callable[[Any], dict[str, Any]] | None = None
    files: Callable[[Any], list[tuple[str, Any]]] | None = None
    ends: Any = ""
    page: Callable[[Any], str] | None = None
    hide: Callable[[Any, Any], bool] | None = None
    owner: Callable[[Any], Any] | None = None
    purge: Callable[[models.QuerySet[Any]], int] | None = None
    opened_page: Callable[[Any], str] | None = None
    related: tuple[str, ...] = ()
    gather: Callable[[list[Any]], None] | None = None

    @property
    def ends_field(self) -> str:
        """The date field by which rows end, or nothing when ``ends`` is a sentence."""
        return str(self.ends) if str(self.ends) in {field.name for field in self.model._meta.fields} else ""


_declared: dict[type[models.Model], PersonalData] = {}
_impersonal: dict[type[models.Model], str] = {}


def declare(**fields: Any) -> None:
    """Say how a model holds personal data; a second declaration of the same model is refused."""
    declaration = PersonalData(**fields)
    if declaration.model in _declared or declaration.model in _impersonal:
        raise ValueError(f"{declaration.model.__name__} is declared twice")
    _declared[declaration.model] = declaration


def impersonal(model: type[models.Model], why: str) -> None:
    """Say that a model holds nothing about a person, and why that is so."""
    if model in _declared or model in _impersonal:
        raise ValueError(f"{model.__name__} is declared twice")
    _impersonal[model] = why


def declarations() -> Iterator[PersonalData]:
    yield from _declared.values()


def declaration_of(model: type[models.Model]) -> PersonalData | None:
    return _declared.get(model)


def undeclared(candidates: list[type[models.Model]]) -> list[type[models.Model]]:
    return [model for model in candidates if model not in _declared and model not in _impersonal]
