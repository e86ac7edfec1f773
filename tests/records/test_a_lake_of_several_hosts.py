"""Where files lie in a bucket, hosts share one lake: what one writes another reads, and none takes an old month for the new."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django import Settings

from staffroom.files import keeping
from staffroom.knowing import frames
from staffroom.records import lake, lake_shared
from staffroom.records.actions import record
from staffroom.records.append_only import LakeMark
from staffroom.records.models import LakePart
from staffroom.records.vocabulary import verbs
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Go to a host, which has a data folder of its own; files lie in a storage that all share."""
    shared = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": shared}

    def put(name: str, content: bytes) -> None:
        default_storage.delete(name)
        default_storage.save(name, ContentFile(content))

    monkeypatch.setattr(keeping, "put", put)

    def go(host: str) -> None:
        settings.DATA = tmp_path / host
        settings.DATA.mkdir(exist_ok=True)

    go("alder")
    return go


def attend(cast: Cast, times: int = 1) -> None:
    for _each in range(times):
        record(by=cast.amara, verb=verbs.ATTENDED, object="https://example.org/workshop", organization=cast.district)


def read(name: str = "activity") -> list[dict[str, Any]]:
    table = frames._ledger(name)
    return [] if table is None else table.to_pyarrow().to_pylist()


def test_what_one_host_writes_another_reads(cast: Cast, at: Callable[[str], None]) -> None:
    attend(cast, 2)
    assert lake.refresh() == 1
    at("birch")
    assert len(read()) == 2
    attend(cast)
    assert lake.refresh() == 1
    at("alder")
    assert len(read()) == 3
    assert not LakeMark.objects.exists()


def test_a_host_that_comes_later_writes_nothing_that_is_there(cast: Cast, at: Callable[[str], None]) -> None:
    attend(cast)
    lake.refresh()
    before = LakePart.objects.get()
    at("birch")
    assert lake.refresh() == 0
    assert LakePart.objects.get().written_at == before.written_at


def test_a_month_that_went_is_gone_everywhere(cast: Cast, at: Callable[[str], None]) -> None:
    attend(cast)
    lake.refresh()
    at("birch")
    assert len(read()) == 1
    at("alder")
    for path in lake.folder().glob("*/month=*/*.parquet"):
        path.unlink()
    LakePart.objects.all().delete()
    with lake_shared._lock():
        lake_shared._give(lake_shared._manifest())
    at("birch")
    assert read() == []
    assert [name for name in default_storage.listdir("lake")[1] if name != "manifest.json"] == []


def test_the_bucket_holds_each_file_once(cast: Cast, at: Callable[[str], None]) -> None:
    for _each in range(3):
        attend(cast)
        lake.refresh()
    told = lake_shared._manifest()
    [month] = default_storage.listdir("lake/activity")[0]
    assert len(default_storage.listdir(f"lake/activity/{month}")[1]) == len(told) == 1
