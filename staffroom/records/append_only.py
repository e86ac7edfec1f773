"""What makes a ledger a ledger: its entries are added, never changed and never removed.

Two things alone touch an entry afterwards, and each has its own door here: a later entry voids it (`mark_voided`), or the
person in it is erased (`take_person_out`). Everything else that Django offers to change or delete rows is refused.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Self

from django.db import connections, models


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

    def append_many(self, entries: Sequence[Entry]) -> None:
        """Append entries by `append_rows`, every column of every one; their primary keys are left unset."""
        names = [field.attname for field in self.model._meta.concrete_fields if not field.primary_key]
        self.append_rows(names, (tuple(getattr(each, name) for name in names) for each in entries))

    def append_rows(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], **shared: Any) -> None:
        """Append very many entries without making an object of each: ten times as fast as `bulk_create`.

        `columns` (names such as `person_id`) say what stands in each row; `shared` is the same in all of them; every row gets a
        key of its own unless it brings one; all other columns have their defaults.
        """
        connection = connections[self.db]
        fields = {field.attname: field for field in self.model._meta.concrete_fields if not field.primary_key}
        varying = [*columns] if "key" in columns else [*columns, "key"]
        fixed = {
            name: field.get_db_prep_save(shared.get(name, field.get_default()), connection)
            for name, field in fields.items()
            if name not in varying
        }
        adapt = _adapter(connection)
        names = ", ".join(connection.ops.quote_name(name) for name in (*varying, *fixed))
        marks = ", ".join(["%s"] * (len(varying) + len(fixed)))
        table, rest = connection.ops.quote_name(self.model._meta.db_table), tuple(fixed.values())
        with connection.cursor() as cursor:
            own_key = () if "key" in columns else (uuid.uuid4,)
            cursor.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({marks})",
                [(*(adapt(value) for value in row), *(adapt(make()) for make in own_key), *rest) for row in rows],
            )

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


def _adapter(connection: Any) -> Callable[[Any], Any]:
    """How this database wants to be given the few types of value that ledgers hold."""
    adapt_day, adapt_moment = connection.ops.adapt_datefield_value, connection.ops.adapt_datetimefield_value
    has_uuid = connection.features.has_native_uuid_field

    def adapt(value: Any) -> Any:
        if value is None or isinstance(value, (int, float, str)):
            return value
        if isinstance(value, uuid.UUID):
            return value if has_uuid else value.hex
        if isinstance(value, Decimal):
            return connection.ops.adapt_decimalfield_value(value, 14, 4)
        if isinstance(value, dict):
            return connection.ops.adapt_json_value(value, json.JSONEncoder)
        return adapt_moment(value) if hasattr(value, "hour") else adapt_day(value) if isinstance(value, date) else value

    return adapt
