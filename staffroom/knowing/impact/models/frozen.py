"""Rows that are written once: what was registered and what was drawn stays word for word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models


class IsFrozen(TypeError):
    """Somebody tried to change or remove what was registered or drawn. A change is a new version, another draw a new lottery."""


class FrozenQuerySet[Row: models.Model](models.QuerySet[Row]):
    """Rows that are read and added to."""

    def update(self, **changes: Any) -> int:
        raise IsFrozen(f"{self.model.__name__}: rows are not changed.")

    def bulk_update(self, objs: Iterable[Row], fields: Iterable[str], batch_size: int | None = None) -> int:
        raise IsFrozen(f"{self.model.__name__}: rows are not changed.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise IsFrozen(f"{self.model.__name__}: rows are not removed.")

    def bulk_create(self, objs: Iterable[Row], *args: Any, **options: Any) -> list[Row]:
        if options.get("update_conflicts"):
            raise IsFrozen(f"{self.model.__name__}: rows are not changed.")
        return super().bulk_create(objs, *args, **options)

    def take_person_out(self, **changes: None) -> int:
        """Erasure: empty the columns that name a person, and nothing else."""
        if not set(changes) <= self.model.erasable or any(value is not None for value in changes.values()):  # type: ignore[attr-defined]
            raise IsFrozen(f"{self.model.__name__}: erasure empties what names a person, and nothing else.")
        return super().update(**changes)


class FrozenRow(models.Model):
    """A row that is written once. `erasable`: the columns that the erasure of a person may empty."""

    erasable: ClassVar[frozenset[str]] = frozenset()
    objects = FrozenQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise IsFrozen(f"{type(self).__name__}: rows are not changed.")
        super().save(*args, **{**options, "force_insert": True})

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        raise IsFrozen(f"{type(self).__name__}: rows are not removed.")
