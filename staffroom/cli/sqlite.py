"""Backup of SQLite: its own backup, page by page, which sees one moment whoever writes meanwhile."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from staffroom.cli import Failure, Mistake

NAME = "staffroom.sqlite3"
LAKE_COLUMNS = ("ledger", "month", "path", "rows", "sha256")
LAKE = f"SELECT {', '.join(LAKE_COLUMNS)} FROM records_lakepart ORDER BY ledger, month"


def dump(folder: Path) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Write the database into a folder; returns how many rows each table has, and the files of the lake."""
    source = database()
    if not source.exists():
        raise Mistake(f"there is no database {source}")
    # In one step: in several, a writer in between would make it begin again, and under load never end.
    with closing(sqlite3.connect(source, timeout=60)) as live, closing(sqlite3.connect(folder / NAME)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        return counted(copy), [dict(zip(LAKE_COLUMNS, row, strict=True)) for row in copy.execute(LAKE)]


def database() -> Path:
    from django.conf import settings

    return Path(settings.DATABASES["default"]["NAME"])


def counted(connection: sqlite3.Connection) -> dict[str, int]:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in names.fetchall()}


def refuse_full() -> None:
    if database().exists():
        raise Mistake(f"{database()} exists already. Nothing was restored.")


def check(folder: Path, manifest: dict[str, Any]) -> None:
    """Refuse a copy that is damaged or has not the rows that the manifest says."""
    copy = folder / NAME
    with closing(sqlite3.connect(copy)) as connection:
        if (
            connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok"
            or counted(connection) != manifest["tables"]
        ):
            raise Failure("the database in the archive is damaged. Nothing was restored.")


def load(folder: Path, manifest: dict[str, Any]) -> None:
    """Let the copy, which has been checked, appear under its name in one step."""
    copy = folder / NAME
    target = database()
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(copy, target.with_name(f".{target.name}.part"))
    os.replace(target.with_name(f".{target.name}.part"), target)
