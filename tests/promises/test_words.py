"""docs/words.md defines every word that Staffroom uses for a thing, and every option is told to hosts."""

from __future__ import annotations

import re
from pathlib import Path

from django.apps import apps

ROOT = Path(__file__).parents[2]
WORDS = ROOT / "docs" / "words.md"
LINE = re.compile(r"^- \*\*(?P<word>[^*]+)\*\*(?: \((?P<name>\w+)\))? – (?P<meaning>\S.*)$")


def entries() -> list[re.Match[str]]:
    lines = [line for line in WORDS.read_text(encoding="utf-8").splitlines() if line.startswith("-")]
    found = [(line, LINE.match(line)) for line in lines]
    assert [line for line, match in found if match is None] == [], "write: - **Word** – What it means."
    return [match for _line, match in found if match]


def names() -> set[str]:
    return {match["name"] or match["word"] for match in entries()}


def test_every_model_is_a_word() -> None:
    ours = {model.__name__ for model in apps.get_models() if model.__module__.startswith("staffroom.")}
    assert sorted(ours - names()) == [], "define these in docs/words.md"


def test_no_word_names_a_model_that_is_gone() -> None:
    ours = {model.__name__ for model in apps.get_models() if model.__module__.startswith("staffroom.")}
    assert sorted(match["name"] for match in entries() if match["name"] and match["name"] not in ours) == []


def test_words_stand_in_order_and_once() -> None:
    words = [match["word"].lower() for match in entries()]
    assert words == sorted(set(words))


def test_meanings_are_whole_sentences() -> None:
    assert [match["word"] for match in entries() if not match["meaning"].endswith(".")] == []


def test_every_model_says_what_it_is() -> None:
    ours = [model for model in apps.get_models() if model.__module__.startswith("staffroom.")]
    assert [model.__name__ for model in ours if (model.__doc__ or "").startswith(f"{model.__name__}(")] == []
