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


def dump(folder: Path) -> dict[str, int]:
    """Write the database into a folder; returns how many rows each table has."""
    source = database()
    if not source.exists():
        raise Mistake(f"there is no database {source}")
    # In one step: in several, a writer in between would make it begin again, and under load never end.
    with closing(sqlite3.connect(source, timeout=60)) as live, closing(sqlite3.connect(folder / NAME)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        return counted(copy)


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


def load(folder: Path, manifest: dict[str, Any]) -> None:
    """Check the copy, and let it appear under its name in one step."""
    copy = folder / NAME
    with closing(sqlite3.connect(copy)) as connection:
        if (
            connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok"
            or counted(connection) != manifest["tables"]
        ):
            raise Failure("the database in the archive is damaged. Nothing was restored.")
    target = database()
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(copy, target.with_name(f".{target.name}.part"))
    os.replace(target.with_name(f".{target.name}.part"), target)
