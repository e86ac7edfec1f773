"""The documentation of the ledgers names every word and every column."""

from __future__ import annotations

from pathlib import Path

import pytest

from staffroom.records import lake
from staffroom.records.vocabulary import VERBS, extensions, types

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "developers" / "records.md").read_text(encoding="utf-8")


def test_every_word_of_the_vocabulary_is_listed() -> None:
    assert [word for word in (*VERBS, *types, *extensions) if f"`{word}`" not in TEXT] == []


@pytest.mark.parametrize("ledger", lake.LEDGERS)
def test_every_column_of_the_lake_is_described(ledger: str) -> None:
    part = TEXT.split(f"### {ledger}\n")[1].split("\n##")[0]
    listed = [tuple(line.strip("| ").split(" | ")[:2]) for line in part.splitlines() if line.startswith("| `")]
    assert listed == [(f"`{name}`", kind) for name, kind in lake.columns_of(ledger)]
