"""Before the first page: data folder, secret, database, static files. Skipped at once when nothing has changed.

The stamp tells without Django what was prepared: this program's migrations, static files and packages, and which database.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from staffroom import __version__, options
from staffroom.cli import Failure, Mistake

PACKAGE = Path(__file__).resolve().parent.parent
STAMP = "prepared"


def set_up() -> None:
    """Django, for commands that need it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "staffroom.settings")
    import django

    make_folder()
    django.setup()


def make_folder() -> Path:
    folder = options.data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        options.secret()
    except OSError as error:
        raise Mistake(
            f"the data folder {folder} cannot be used: {error.strerror}. Choose another with --data."
        ) from error
    return folder


def ensure_prepared(*, has_pages: bool = True) -> None:
    """Prepare in a process of its own, if the stamp says that something has changed. A host of workers needs no static files."""
    folder = make_folder()
    if _is_fresh(folder):
        return
    is_shared = options.get("database_url").startswith("postgres")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "staffroom",
            "prepare",
            "--quiet",
            *(["--no-static"] if is_shared and not has_pages else []),
        ],
        env=child_environment(),
        check=False,
    )
    if done.returncode:
        raise Failure("the database could not be prepared; nothing was started")


def prepare(told: argparse.Namespace) -> int:
    """Migrate, collect static files, install what ships with the program, and leave the stamp."""
    os.environ["STAFFROOM_COLLECTING"] = "1"  # the settings then choose the storage that makes the names with hashes
    set_up()
    from django.core.management import call_command
    from django.db import connection

    folder = options.data_folder()
    # On PostgreSQL each start comes here; what lies in this folder may be as it should be all the same.
    is_collected = told.quiet and _is_as_stamped(folder)
    if not told.no_static:
        (folder / STAMP).unlink(missing_ok=True)
    if not told.quiet:
        print(f"Preparing {folder}")
    with _only_one(connection):
        if _is_empty(connection):
            make_at_once()
        call_command("migrate", interactive=False, verbosity=0)
        _install_defaults()
    if told.no_static:
        return 0
    collected = _stamp(folder)  # as it is before: what changes meanwhile is collected at the next start
    if not is_collected:
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    (folder / STAMP).write_text(collected)
    return 0


def _is_empty(connection: Any) -> bool:
    return connection.vendor == "sqlite" and not connection.introspection.table_names()


def make_at_once() -> None:
    """Make the tables of an empty database as they are today, and note all migrations as done.

    Taking every step of the past first costs ten times as much and ends at the same tables: tests/hosting/test_preparing.py
    compares them. Steps that move rows have nothing to move.
    """
    from django.apps import apps
    from django.core.management import call_command
    from django.test.utils import override_settings

    with override_settings(MIGRATION_MODULES={each.label: None for each in apps.get_app_configs()}):
        call_command("migrate", run_syncdb=True, interactive=False, verbosity=0)
    arrange_and_note()


def arrange_and_note() -> None:
    """The end of making tables at once: what the schema has no words for, and all migrations noted as done."""
    from django.core.management import call_command
    from django.db import connection

    from staffroom.records import arranging

    with connection.schema_editor() as editor:
        arranging.arrange(editor)
    call_command("migrate", fake=True, interactive=False, verbosity=0)


def _install_defaults() -> None:
    from staffroom.frameworks.actions import install_default

    install_default()


class _only_one:
    """On PostgreSQL, servers that start at the same moment migrate one after the other; SQLite sees to it itself."""

    def __init__(self, connection: object) -> None:
        self._connection = connection

    def _lock(self, function: str) -> None:
        connection = self._connection
        if connection.vendor == "postgresql":  # type: ignore[attr-defined]
            with connection.cursor() as cursor:  # type: ignore[attr-defined]
                cursor.execute(f"SELECT {function}(727001)")

    def __enter__(self) -> None:
        self._lock("pg_advisory_lock")

    def __exit__(self, *_: object) -> None:
        self._lock("pg_advisory_unlock")


def _is_fresh(folder: Path) -> bool:
    if options.get("database_url").startswith("postgres"):
        return False  # somebody else may have brought it back or emptied it: ask the database itself
    return _is_as_stamped(folder)


def _is_as_stamped(folder: Path) -> bool:
    try:
        return (folder / STAMP).read_text() == _stamp(folder) and (folder / "static" / "staticfiles.json").exists()
    except FileNotFoundError:
        return False


def _stamp(folder: Path) -> str:
    digest = hashlib.sha256(f"{__version__} {sys.version} {options.get('database_url')}".encode())
    for line in _changing(folder):
        digest.update(line.encode())
    return digest.hexdigest()


def _changing(folder: Path) -> Iterator[str]:
    """What the preparation depends on, one line each."""
    for kind in ("migrations", "static"):
        for place in sorted(PACKAGE.glob(f"**/{kind}")):
            for path in sorted(place.rglob("*")):
                if path.is_file() and path.suffix != ".pyc":
                    at = path.stat()
                    yield f"{path.relative_to(PACKAGE)} {at.st_size} {at.st_mtime_ns}"
    django = importlib.util.find_spec("django")
    if django and django.origin:
        yield from sorted(name for name in os.listdir(Path(django.origin).parents[1]) if name.endswith(".dist-info"))
    database = folder / "staffroom.sqlite3"
    if database.exists():
        yield f"{database.stat().st_dev} {database.stat().st_ino}"


def child_environment() -> dict[str, str]:
    """The environment of our processes: compiled modules are kept in the data folder if they cannot lie beside their sources."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "staffroom.settings"}
    django = importlib.util.find_spec("django")
    compiled = django.cached if django else None
    is_compiled = bool(compiled and os.path.exists(compiled))
    if sys.dont_write_bytecode or not (is_compiled or os.access(Path(str(compiled)).parents[1], os.W_OK)):
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment.setdefault("PYTHONPYCACHEPREFIX", str(options.data_folder() / "cache" / "python"))
    return environment
