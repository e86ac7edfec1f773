"""An empty database is made at once; what comes out is what the migrations make, step by step."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.hosting.conftest import Place


def schema(rows: Any) -> dict[str, Any]:
    """Tables, columns, keys, named constraints and indexes of a SQLite database, whatever the order they were made in."""
    found: dict[str, Any] = {}
    for name, sql in rows("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        columns = sorted(row[1:] for row in rows(f'PRAGMA table_info("{name}")'))
        keys = sorted(row[2:] for row in rows(f'PRAGMA foreign_key_list("{name}")'))
        constraints = sorted(re.findall(r'CONSTRAINT "[^"]+" (?:CHECK|UNIQUE)[^,]*', sql))
        found[name] = (columns, keys, constraints, "WITHOUT ROWID" in sql)
    found |= {
        f"index {name}": sql
        for name, sql in rows("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    }
    return found


@pytest.mark.django_db
def test_an_empty_database_gets_the_tables_that_the_migrations_make(tmp_path: Path) -> None:
    """A new host's database and the tests' own are made at once."""
    if connection.vendor != "sqlite":
        pytest.skip("on PostgreSQL every database is made by the migrations")
    place, steps = Place(tmp_path / "data"), Place(tmp_path / "steps")
    command = [sys.executable, "-m", "staffroom", "prepare", "--quiet"]
    subprocess.run(command, env=place.environment, check=True, capture_output=True, timeout=120)
    steps.folder.mkdir()
    steps.python("from django.core.management import call_command; call_command('migrate', verbosity=0)")

    def of_the_tests(sql: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    at_once, done = made(place)
    step_by_step, all_steps = made(steps)
    assert len(step_by_step) > 100
    assert at_once == step_by_step == schema(of_the_tests)
    assert done == all_steps == set(of_the_tests("SELECT app, name FROM django_migrations"))


def made(place: Place) -> tuple[dict[str, Any], set[tuple[str, str]]]:
    with closing(sqlite3.connect(place.folder / "staffroom.sqlite3")) as database:
        done = set(database.execute("SELECT app, name FROM django_migrations"))
        return schema(lambda sql: database.execute(sql).fetchall()), done
