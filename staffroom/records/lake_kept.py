"""What the lake keeps for good of months that the ledger no longer has (`actions.retiring`): files that nothing can make anew.

They lie in the storage, `ledger/<month stored>/<month in which it happened>.parquet`, where backups take them along, and as a copy in
the lake: `lake/activity/month=2026-09/stored-2026-10.parquet`, beside the file that is made of the entries that the ledger still has.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from datetime import UTC, date
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db.models.functions import TruncMonth

from staffroom.records import lake
from staffroom.records.models import Statement
from staffroom.records.retired import RetiredMonth


class NotKept(RuntimeError):
    """What the lake should keep is not what was written; nothing may be taken out of the ledger."""


def keep(row: RetiredMonth, begin: int, end: int) -> None:
    """Write what the lake tells of a range of entries into the storage, read it again, and note it."""
    places, ledger = lake.read_places(), lake.LEDGERS["activity"]
    stored = Statement.objects.filter(pk__gte=begin, pk__lt=end)
    files = []
    for month in _months_of(stored):
        path = _laid(month, row).with_suffix(".new")
        rows = lake.write_file(ledger, ledger.of_month(month).filter(pk__gte=begin, pk__lt=end), places, path)
        if rows:
            name = f"ledger/{row.month:%Y-%m}/{month:%Y-%m}.parquet"
            files.append({"month": month.isoformat(), "name": name, "rows": rows, "sha256": _put(name, path)})
        path.unlink()
    if sum(int(str(each["rows"])) for each in files) != stored.live().count():
        raise NotKept(f"{row}: not every entry that counts went into the lake")
    row.files, row.entries = files, stored.count()
    row.save(update_fields=["files", "entries"])


def _months_of(entries: Any) -> list[date]:
    found = entries.live().order_by().annotate(at=TruncMonth("happened_at", tzinfo=UTC)).values_list("at", flat=True)
    return sorted({moment.date() for moment in found.distinct()})


def _put(name: str, path: Path) -> str:
    """Write a file into the storage under its name and read it again; returns its hash."""
    default_storage.delete(name)
    with path.open("rb") as file:
        saved = default_storage.save(name, File(file))
    sha256 = lake.hash_of(path)
    if saved != name or _hash_in_storage(name) != sha256:
        raise NotKept(f"{name} is not in the storage as it was written")
    return sha256


def _hash_in_storage(name: str) -> str:
    digest = hashlib.sha256()
    with default_storage.open(name) as file:
        for piece in file.chunks():
            digest.update(piece)
    return digest.hexdigest()


def _laid(month: date, row: RetiredMonth) -> Path:
    return lake.folder() / "activity" / f"month={month:%Y-%m}" / f"stored-{row.month:%Y-%m}.parquet"


def lay(rows: Iterable[RetiredMonth] | None = None) -> int:
    """Lay files of months that are gone into the lake where they are missing: at first, and after a restore. Whoever calls is `alone`.

    What is made of the ledger is written anew first, so that nothing is in the lake twice.
    """
    count = 0
    for row in RetiredMonth.objects.exclude(gone_at=None) if rows is None else rows:
        missing = [each for each in row.files if not _is_there(each, row)]
        lake.write_again(date.fromisoformat(each["month"]) for each in missing)
        for each in missing:
            _copy(each["name"], _laid(date.fromisoformat(each["month"]), row))
        count += len(missing)
    return count


def _is_there(told: dict[str, Any], row: RetiredMonth) -> bool:
    path = _laid(date.fromisoformat(told["month"]), row)
    return path.exists() and lake.hash_of(path) == told["sha256"]


def _copy(name: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with default_storage.open(name) as kept, fresh.open("wb") as file:
        shutil.copyfileobj(kept, file)
    os.replace(fresh, path)


def take_person_out(key: str) -> int:
    """Take an erased person out of what the lake alone keeps: the entries and their sums stay. Returns how many files changed."""
    count = 0
    with lake.alone():
        for row in RetiredMonth.objects.all():
            changed = [each for each in row.files if _without(each, key, _laid(date.fromisoformat(each["month"]), row))]
            if changed:
                row.save(update_fields=["files"])
                if row.gone_at:
                    lay([row])
            count += len(changed)
    return count


def _without(told: dict[str, Any], key: str, laid: Path) -> bool:
    """Write one kept file anew without somebody; False when they are not in it."""
    import pyarrow
    from pyarrow import compute, parquet

    with default_storage.open(told["name"]) as file:
        table = parquet.read_table(file)
    at = table.column_names.index("actor_key")
    is_theirs = compute.fill_null(compute.equal(table["actor_key"], key), False)
    if not compute.any(is_theirs).as_py():
        return False
    emptied = compute.if_else(is_theirs, pyarrow.scalar(None, pyarrow.string()), table["actor_key"])
    path = laid.with_suffix(".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(
        table.set_column(at, table.field(at), emptied), path, compression="zstd", version="2.6",
        row_group_size=lake.ROWS_AT_ONCE,
    )  # fmt: skip
    told["sha256"] = _put(told["name"], path)
    path.unlink()
    return True
