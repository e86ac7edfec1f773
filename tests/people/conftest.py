"""Fixtures of the people tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import transaction


@pytest.fixture
def transactional_world() -> Callable[[], AbstractContextManager[None]]:
    """A world that is gone at the end of the `with`: for property tests, which build many in one test."""

    @contextmanager
    def world() -> Iterator[None]:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    return world
