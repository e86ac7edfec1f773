"""Tools of two districts at the xAPI door."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cast import Cast
from tests.clusters import cluster_folder
from tests.exchange.knocking import ToolAtTheDoor


@pytest.fixture
def tool(cast: Cast) -> ToolAtTheDoor:
    """A tool of Riverbend that may do everything, and speaks 1.0.3 unless told."""
    return ToolAtTheDoor(cast.district)


@pytest.fixture
def other_tool(cast: Cast) -> ToolAtTheDoor:
    """The same in Lakeside."""
    return ToolAtTheDoor(cast.other_district)


@pytest.fixture(params=[1, 2], ids=["1.0.3", "2.0"])
def either(tool: ToolAtTheDoor, request: pytest.FixtureRequest) -> ToolAtTheDoor:
    """The tool of Riverbend, once in each version."""
    return tool.speaking(request.param)


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Thousands of requests leave no line each: the line has its own tests."""
    log = logging.getLogger("staffroom.requests")
    before, log.disabled = log.disabled, True
    yield
    log.disabled = before


@pytest.fixture
def cluster() -> Iterator[Path]:
    """A folder for a PostgreSQL of one test alone."""
    with cluster_folder() as folder:
        yield folder
