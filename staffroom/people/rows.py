"""Very many rows into the database without making an object of each: ten times as fast as `bulk_create`, in bounded memory.

For bulk doors alone, which have checked what they are given: nothing is checked here but what the database checks, no `save` is
called and no signal sent.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import batched
from typing import Any

from django.db import connections, models, router

AT_ONCE = 5000

type Adapt = Callable[[Any], Any]


def insert_rows(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    using: str = "",
    ignore_known: bool = False,
    **shared: Any,
) -> int:
    """Insert rows in the order given and return how many there were.

    `columns` (names such as `person_id`) say what stands in each row; `shared` is the same in all of them; every row gets a key
    of its own unless it brings one; all other columns have their defaults. Primary keys are the database's to give, unless the columns
    name them. `ignore_known`: rows that are there already stay as they are.
    """
    connection = connections[using or router.db_for_write(model)]
    fields = {
        field.attname: field
        for field in model._meta.concrete_fields
        if not field.primary_key or field.attname in columns
    }
    needs_key = "key" in fields and "key" not in columns and "key" not in shared
    varying = [*columns, "key"] if needs_key else [*columns]
    fixed = {
        name: field.get_db_prep_save(shared.get(name, field.get_default()), connection)
        for name, field in fields.items()
        if name not in varying
    }
    names = ", ".join(connection.ops.quote_name(str(fields[name].column)) for name in (*varying, *fixed))
    marks = ", ".join(["%s"] * (len(varying) + len(fixed)))
    table = connection.ops.quote_name(model._meta.db_table)
    adapters = [(place, adapt) for place, name in enumerate(varying) if (adapt := _adapter(fields[name], connection))]
    ready = _ready(rows, needs_key, adapters, tuple(fixed.values()))
    unless = " ON CONFLICT DO NOTHING" if ignore_known else ""
    total = 0
    with connection.cursor() as cursor:
        for chosen in batched(ready, AT_ONCE):
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks}){unless}", chosen)
            total += len(chosen)
    return total


def _ready(
    rows: Iterable[Sequence[Any]], needs_key: bool, adapters: list[tuple[int, Adapt]], rest: tuple[Any, ...]
) -> Iterator[list[Any]]:
    """The rows as the database wants them."""
    for row in rows:
        values = [*row, uuid.uuid4()] if needs_key else [*row]
        for place, adapt in adapters:
            if values[place] is not None:
                values[place] = adapt(values[place])
        values.extend(rest)
        yield values


def _adapter(field: models.Field[Any, Any], connection: Any) -> Adapt | None:
    """How this database wants to be given the values of a column; None if it takes them as they are."""
    ops = connection.ops
    if isinstance(field, models.UUIDField):
        return None if connection.features.has_native_uuid_field else (lambda value: value.hex)
    if isinstance(field, models.DecimalField):
        return lambda value: ops.adapt_decimalfield_value(value, field.max_digits, field.decimal_places)
    if isinstance(field, models.JSONField):
        return lambda value: ops.adapt_json_value(value, json.JSONEncoder)
    if isinstance(field, models.DateTimeField):
        return lru_cache(1000)(ops.adapt_datetimefield_value)
    if isinstance(field, models.DateField):
        return lru_cache(1000)(ops.adapt_datefield_value)
    return None
