"""Fixtures for every test: the settings of a throw-away data folder, and the cast."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker, Settings

from tests import cast as cast_module
from tests import turns
from tests.catalogs import Messages, write_catalog

# What is generated is judged by what comes out, never by how busy the machine is.
hypothesis_settings.register_profile("staffroom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("staffroom")

# One browser serves all tests of a process, so its flags stand here: a camera that is none, and no call to anybody's home.
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]


def pytest_xdist_auto_num_workers() -> int:
    return turns.processes()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> turns.Turns:
    return turns.Turns(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several processes
        items[:] = turns.in_turn(items)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium, or the one that CHROMIUM names."""
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    return {**browser_type_launch_args, "executable_path": chromium, "args": BROWSER_FLAGS}


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The tests' tables are made as `staffroom prepare` makes those of a new host, in a fifth of the time of all steps of the past.

    That both ways end at the same tables is what tests/hosting/test_preparing.py is about.
    """
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["MIGRATE"] = False


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    from django.db import connection

    from staffroom.cli.preparing import arrange_and_note

    if connection.vendor == "sqlite":
        with django_db_blocker.unblock():
            arrange_and_note()


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """Addresses of static files need no collected manifest in tests."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def cast(db: None) -> cast_module.Cast:
    """One district with its people, as told in tests/cast.py."""
    return cast_module.gather()


@pytest.fixture
def catalog(settings: Settings, tmp_path: Path) -> Iterator[Callable[[Messages], None]]:
    """Translate these messages into Polish for this test."""
    from staffroom.ui import island_words

    def bring(messages: Messages) -> None:
        write_catalog(tmp_path, messages)
        settings.LOCALE_PATHS = [tmp_path]
        settings.LANGUAGES = [("en", "English"), ("pl", "Polski")]
        island_words._script.cache_clear()

    yield bring
    island_words._script.cache_clear()
