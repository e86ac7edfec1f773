"""What makes a ledger a ledger: its entries are added, never changed and never removed.

Two things alone touch an entry afterwards, and each has its own door here: a later entry voids it (`mark_voided`), or the
person in it is erased (`take_person_out`). Everything else that Django offers to change or delete rows is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.db import models


class LedgerIsAppendOnly(TypeError):
    """Somebody tried to change or remove an entry of a ledger. A correction is a new entry that voids the old one."""


class LedgerQuerySet[Entry: models.Model](models.QuerySet[Entry]):
    """Entries of a ledger: read and added to."""

    def update(self, **changes: Any) -> int:
        raise LedgerIsAppendOnly(
            f"{self.model.__name__}: entries are not changed; void the old one and append a new one."
        )

    def bulk_update(self, objs: Iterable[Entry], fields: Iterable[str], batch_size: int | None = None) -> int:
        raise LedgerIsAppendOnly(
            f"{self.model.__name__}: entries are not changed; void the old one and append a new one."
        )

    def delete(self) -> tuple[int, dict[str, int]]:
        raise LedgerIsAppendOnly(f"{self.model.__name__}: entries are not removed; void them.")

    def bulk_create(self, objs: Iterable[Entry], *args: Any, **options: Any) -> list[Entry]:
        """Append many; updating those that exist already is refused."""
        if options.get("update_conflicts"):
            raise LedgerIsAppendOnly(f"{self.model.__name__}: entries are not changed.")
        return super().bulk_create(objs, *args, **options)

    def live(self) -> Self:
        """Entries that count: neither voided, nor themselves only there to void another."""
        return self.filter(is_voided=False, voids=None)

    def mark_voided(self) -> int:
        """Note on entries that a later one voids them. For the action that appends that later one."""
        return super().update(is_voided=True)

    def take_person_out(self, **changes: Any) -> int:
        """Erasure: empty the columns that name a person. For the room's declaration of personal data alone."""
        allowed = self.model.erasable  # type: ignore[attr-defined]
        if not set(changes) <= set(allowed):
            raise LedgerIsAppendOnly(f"{self.model.__name__}: erasure changes only {', '.join(sorted(allowed))}.")
        return super().update(**changes)


class LedgerEntry(models.Model):
    """One entry of a ledger. `erasable`: the columns that the erasure of a person may empty."""

    erasable: ClassVar[frozenset[str]] = frozenset()
    objects = LedgerQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise LedgerIsAppendOnly(
                f"{type(self).__name__}: entries are not changed; void the old one, append a new one."
            )
        super().save(*args, **{**options, "force_insert": True})

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        raise LedgerIsAppendOnly(f"{type(self).__name__}: entries are not removed; void them.")
