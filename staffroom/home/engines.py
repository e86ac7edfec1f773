"""What a database tells about itself: SQLite in a file, or a PostgreSQL server with others at it."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection
from django.utils.translation import gettext as _

_prepared_at: dict[str, float] = {}
SEEN_S = 30.0


@dataclass(frozen=True)
class Engine:
    """One look at the database."""

    kind: str
    size: int
    oldest_s: int = 0
    connections: int = 0
    most_connections: int = 0
    damage: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)


def look() -> Engine:
    """Ask the database how it is."""
    return _postgres() if connection.vendor == "postgresql" else _sqlite()


def _sqlite() -> Engine:
    path = Path(str(connection.settings_dict["NAME"]))
    version, pages, per_page = (
        _row(f"{each}")[0] for each in ("SELECT sqlite_version()", "PRAGMA page_count", "PRAGMA page_size")
    )
    log = path.with_name(f"{path.name}-wal")
    facts = [
        (_("File"), str(path)),
        (_("Not yet in the file"), f"{log.stat().st_size >> 20 if log.exists() else 0} MB"),
    ]
    if path.exists():
        facts.append((_("Free disk"), f"{shutil.disk_usage(path.parent).free >> 30} GB"))
    return Engine(f"SQLite {version}", pages * per_page, facts=facts)


def _row(sql: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row: tuple[Any, ...] = cursor.fetchone()
        return row


def _postgres() -> Engine:
    version, size, is_copy, most = _row(
        "SELECT current_setting('server_version'), pg_database_size(current_database()), pg_is_in_recovery(), "
        "current_setting('max_connections')::int"
    )
    count, oldest = _row(
        "SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::bigint FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    copies, late = _row("SELECT count(*), max(extract(epoch FROM replay_lag))::bigint FROM pg_stat_replication")
    facts = [
        (_("Connections"), f"{count} / {most}"),
        (_("Oldest transaction"), _("%(seconds)d seconds") % {"seconds": oldest}),
        (
            _("Copies that follow it"),
            f"{copies}" + (_(", %(seconds)d seconds behind") % {"seconds": late} if late else ""),
        ),
    ]
    damage = (
        _("this is a copy that can only be read: database_url must name the server that is written to")
        if is_copy
        else ""
    )
    return Engine(f"PostgreSQL {version.split()[0]}", size, oldest, count, most, damage, facts)


def missing_migrations() -> list[str]:
    """The migrations of this program that the database does not have."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def is_prepared() -> bool:
    """Whether the database answers and has this program's tables: asked in full at most twice a minute."""
    try:
        _row("SELECT 1")
        if time.monotonic() - _prepared_at.get(connection.alias, -SEEN_S) >= SEEN_S:
            if missing_migrations():
                return False
            _prepared_at[connection.alias] = time.monotonic()
    except DatabaseError:
        return False
    return True
