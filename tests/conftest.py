"""Fixtures for every test: the settings of a throw-away data folder, and the cast."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("STAFFROOM_DATA", tempfile.mkdtemp(prefix="staffroom-test-"))

# Counting would stop the tests that knock thousands of times; tests of the limit set their own.
os.environ.setdefault("STAFFROOM_API_PER_MINUTE", "0")
os.environ.setdefault("STAFFROOM_UPLOADS_PER_MINUTE", "0")

# Playwright keeps an event loop running in the process that drives a browser; tests that follow there use the database all the same.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

import pytest
from pytest_django import Settings

from tests import cast as cast_module


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """Addresses of static files need no collected manifest in tests."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def cast(db: None) -> cast_module.Cast:
    """One district with its people, as told in tests/cast.py."""
    return cast_module.gather()
