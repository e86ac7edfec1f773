"""Backup of PostgreSQL without its programs: every table by COPY, out of one REPEATABLE READ snapshot.

What the tables look like is left to the migrations: restoring makes the very ones that the backup had, fills the tables, and
then goes on to those that are new. So a backup can be restored into another version of PostgreSQL.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from staffroom.cli import Failure, Mistake
from staffroom.cli.sqlite import LAKE, LAKE_COLUMNS

COLUMNS = "columns.json"
TABLES = """
    SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = current_schema()
    GROUP BY c.relname ORDER BY c.relname
"""


def dump(folder: Path) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Write each table into a file of a folder; returns how many rows each has, and the files of the lake."""
    from django.db import connection

    counts: dict[str, int] = {}
    columns: dict[str, list[str]] = {}
    connection.ensure_connection()
    raw: Any = connection.connection
    with raw.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            cursor.execute(TABLES)
            for table, names in cursor.fetchall():
                columns[table] = names
                with (
                    (folder / f"{table}.copy").open("wb") as file,
                    cursor.copy(_copy_out(table, names)) as rows,
                ):
                    for piece in rows:
                        file.write(piece)
                cursor.execute(f"SELECT count(*) FROM {_quoted(table)}")
                counts[table] = cursor.fetchone()[0]
            cursor.execute(LAKE)
            lake = [dict(zip(LAKE_COLUMNS, map(_plain, row), strict=True)) for row in cursor.fetchall()]
        finally:
            cursor.execute("ROLLBACK")
    (folder / COLUMNS).write_text(json.dumps(columns))
    return counts, lake


def _plain(value: Any) -> Any:
    return value if isinstance(value, int) else str(value)


def check(folder: Path, manifest: dict[str, Any]) -> None:
    """Refuse tables that have not the rows that the manifest says: a row is a line of its file."""
    for table in json.loads((folder / COLUMNS).read_text()):
        with (folder / f"{table}.copy").open("rb") as file:
            lines = sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
        if lines != manifest["tables"].get(table):
            raise Failure(f"the table {table} in the archive is damaged: it has not its rows. Nothing was restored.")


def refuse_full() -> None:
    from django.db import connection

    tables = connection.introspection.table_names()
    if tables:
        raise Mistake(f"the database is not empty: it has the table {tables[0]}. Nothing was restored.")


def load(folder: Path, manifest: dict[str, Any]) -> None:
    """Make the tables as they were, fill them in one transaction, and bring them up to date."""
    from django.core.management import call_command
    from django.db import connection, transaction

    columns: dict[str, list[str]] = json.loads((folder / COLUMNS).read_text())
    _migrate_to(manifest["migrations"])
    known = set(connection.introspection.table_names())
    if unknown := sorted(set(columns) - known):
        raise Failure(f"the archive has a table that its migrations do not make: {unknown[0]}")
    _make_months(folder, columns)
    with transaction.atomic():
        connection.ensure_connection()
        raw: Any = connection.connection
        with raw.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute(f"TRUNCATE {', '.join(_quoted(table) for table in columns)}")
            for table, names in columns.items():
                _fill(cursor, folder / f"{table}.copy", table, names, manifest["tables"].get(table))
            _set_sequences(cursor, columns)
    call_command("migrate", interactive=False, verbosity=0)


def _make_months(folder: Path, columns: dict[str, list[str]]) -> None:
    """Of the tables that are divided by month, the months that the backup has: their rows come oldest month first."""
    from staffroom.records import months

    for table, column in months.DIVIDED.items():
        path = folder / f"{table}.copy"
        if column in columns.get(table, ()) and path.exists():
            with path.open("rb") as file:
                first = file.readline().split(b"\t")
            if len(first) == len(columns[table]):
                months.make_ahead(since=months.month_of(int(first[columns[table].index(column)])))


def _migrate_to(applied: list[list[str]]) -> None:
    """Exactly the migrations that the backup had."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    wanted = [(app, name) for app, name in applied]
    executor.migrate(wanted)


def _fill(cursor: Any, path: Path, table: str, names: list[str], rows: int | None) -> None:
    with cursor.copy(_copy_in(table, names)) as copy, path.open("rb") as file:
        while piece := file.read(1 << 20):
            copy.write(piece)
    cursor.execute(f"SELECT count(*) FROM {_quoted(table)}")
    if cursor.fetchone()[0] != rows:
        raise Failure(
            f"the table {table} in the archive has not the rows that the manifest says. Nothing was restored."
        )


def _set_sequences(cursor: Any, columns: dict[str, list[str]]) -> None:
    for table, names in columns.items():
        if "id" not in names:
            continue
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [_quoted(table)])
        sequence = cursor.fetchone()[0]
        if sequence:
            cursor.execute(
                f"SELECT setval(%s, coalesce(max(id), 1), max(id) IS NOT NULL) FROM {_quoted(table)}", [sequence]
            )


def _copy_in(table: str, names: list[str]) -> str:
    return f"COPY {_quoted(table)} ({', '.join(_quoted(name) for name in names)}) FROM STDIN"


def _copy_out(table: str, names: list[str]) -> str:
    """By a question: a table that is divided into parts cannot be copied as such."""
    return f"COPY (SELECT {', '.join(_quoted(name) for name in names)} FROM {_quoted(table)}) TO STDOUT"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
