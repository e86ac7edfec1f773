"""Fixtures for every test: the settings of a throw-away data folder, and the cast."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("STAFFROOM_DATA", tempfile.mkdtemp(prefix="staffroom-test-"))

import pytest  # noqa: E402

from tests import cast as cast_module  # noqa: E402


@pytest.fixture
def cast(db: None) -> cast_module.Cast:
    """One district with its people, as told in tests/cast.py."""
    return cast_module.gather()
