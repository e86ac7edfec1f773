"""What makes a ledger a ledger: its entries are added, never changed and never removed.

Three things alone touch an entry afterwards, and each has its own door here: a later entry voids it (`mark_voided`), the person in
it is erased (`take_person_out`), or it becomes known whose deed it tells (`take_person_in`): what the entry says stays word for word.
Everything else that Django offers to change or delete rows is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Self

from django.db import models, transaction

from staffroom.people.rows import insert_rows


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
        entries = list(objs)
        with transaction.atomic(using=self.db, savepoint=False):
            made = super().bulk_create(entries, *args, **options)
            self._leave_marks({each.day_values for each in entries if each.voids_id is None})  # type: ignore[attr-defined]
        return made

    def append_many(self, entries: Sequence[Entry]) -> None:
        """Append entries by `append_rows`, every column of every one; their primary keys are left unset."""
        names = [field.attname for field in self.model._meta.concrete_fields if not field.primary_key]
        self.append_rows(names, (tuple(getattr(each, name) for name in names) for each in entries))

    def append_rows(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], **shared: Any) -> int:
        """Append very many entries without making an object of each; see `people.rows.insert_rows`. Returns how many."""
        days: set[tuple[Any, ...]] = set()
        places = [columns.index(name) if name in columns else None for name in self.model.day_columns]  # type: ignore[attr-defined]
        voiding = columns.index("voids_id") if "voids_id" in columns else None
        constant = [shared.get(name) for name in self.model.day_columns]  # type: ignore[attr-defined]

        def noted() -> Iterator[Sequence[Any]]:
            for row in rows:
                if voiding is not None and row[voiding] is not None:
                    yield row  # changes nothing itself: what it voids leaves the mark
                    continue
                days.add(tuple(same if at is None else row[at] for at, same in zip(places, constant, strict=True)))
                yield row

        with transaction.atomic(using=self.db, savepoint=False):
            total = insert_rows(self.model, columns, noted(), using=self.db, **shared)
            self._leave_marks(days)
        return total

    def live(self) -> Self:
        """Entries that count: neither voided, nor themselves only there to void another."""
        return self.filter(is_voided=False, voids=None)

    def mark_voided(self) -> int:
        """Note on entries that a later one voids them. For the action that appends that later one."""
        return self._take_out(is_voided=True)

    def take_person_out(self, **changes: Any) -> int:
        """Erasure: empty the columns that name a person. For the room's declaration of personal data alone."""
        allowed = self.model.erasable  # type: ignore[attr-defined]
        if not set(changes) <= set(allowed):
            raise LedgerIsAppendOnly(f"{self.model.__name__}: erasure changes only {', '.join(sorted(allowed))}.")
        return self._take_out(**changes)

    def take_person_in(self, **whose: Any) -> int:
        """Matching: note whose deed entries tell that a tool wrote (None: nobody's that is known), and what and where they were.

        For the room that knows which person an agent is, alone. Entries of Staffroom's own and of the erased are left as they are.
        """
        allowed = self.model.matchable  # type: ignore[attr-defined]
        if not allowed or set(whose) != set(allowed):
            raise LedgerIsAppendOnly(f"{self.model.__name__}: matching sets {', '.join(sorted(allowed)) or 'nothing'}.")
        return self.filter(tool__isnull=False, erased_at=None)._take_out(**whose)

    def _take_out(self, **changes: Any) -> int:
        with transaction.atomic(using=self.db, savepoint=False):
            # Before the change: afterwards the entries may no longer be found by what they were chosen by.
            days = set(self.order_by().values_list(*self.model.day_columns).distinct())  # type: ignore[attr-defined]
            changed = super().update(**changes)
            self._leave_marks(days, is_removal=True)
        return changed

    def _leave_marks(self, days: Iterable[tuple[Any, ...]], *, is_removal: bool = False) -> None:
        """Say in the change's own transaction which months of the lake no longer hold what the ledger holds."""
        months = {_month(day) for day in self.model.days_of(set(days))}  # type: ignore[attr-defined]
        marks = [(self.model.ledger, month, is_removal) for month in sorted(months)]  # type: ignore[attr-defined]
        insert_rows(LakeMark, ("ledger", "month", "is_removal"), marks, using=self.db)


class LakeMark(models.Model):
    """A month of a ledger changed: left in the transaction of the change, removed once the lake's file has been written since.

    A mark is seen by others at the same moment as the entries that it stands for, however long their transaction took. Whoever
    reads the marks first and the entries afterwards misses nothing, and need not compare clocks or count rows. Marks are only
    added, one for each change, so that two changes of a month never wait for each other.
    """

    ledger = models.CharField(max_length=16)
    month = models.DateField()
    is_removal = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["ledger", "month"])]

    def __str__(self) -> str:
        return f"{self.ledger} {self.month:%Y-%m}"


class LedgerEntry(models.Model):
    """One entry of a ledger. `erasable`: the columns that the erasure of a person may empty; `matchable`: those that say whose it is.

    `ledger`: which one. `day_columns`: those that say on which day, and so in which month of the lake, an entry stands.
    """

    erasable: ClassVar[frozenset[str]] = frozenset()
    matchable: ClassVar[frozenset[str]] = frozenset()
    ledger: ClassVar[str]
    day_columns: ClassVar[tuple[str, ...]]
    objects = LedgerQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise LedgerIsAppendOnly(
                f"{type(self).__name__}: entries are not changed; void the old one, append a new one."
            )
        with transaction.atomic(using=options.get("using"), savepoint=False):
            super().save(*args, **{**options, "force_insert": True})
            if self.voids_id is None:  # type: ignore[attr-defined]
                type(self).objects.using(self._state.db)._leave_marks([self.day_values])

    @property
    def day_values(self) -> tuple[Any, ...]:
        """The values of `day_columns`."""
        return tuple(getattr(self, name) for name in self.day_columns)

    @classmethod
    def days_of(cls, found: set[tuple[Any, ...]]) -> Iterable[date]:
        """The days, or moments, that values of `day_columns` stand for."""
        field: Any = cls._meta.get_field(cls.day_columns[0])
        return {field.to_python(value) for (value,) in found}

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        raise LedgerIsAppendOnly(f"{type(self).__name__}: entries are not removed; void them.")


def _month(day: date) -> date:
    """The month of the lake of a day, or of a moment by the clock of UTC."""
    plain = day.astimezone(UTC).date() if isinstance(day, datetime) else day
    return plain.replace(day=1)
