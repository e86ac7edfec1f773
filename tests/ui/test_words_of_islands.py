"""Islands speak the language of the page, and every word that they ask for is there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from django.utils import translation

from staffroom.ui.island_words import WORDS, Word, words_script
from tests.ui.conftest import Render

ISLANDS = Path(__file__).resolve().parents[2] / "islands"
NAMED = re.compile(r"^  (?P<name>\w+): \[(?P<values>[^\]]*)\],$", re.M)
USED = re.compile(r"\"(\w+)\"")


def asked_for(island: str) -> dict[str, set[str]]:
    """The names in an island's words.ts, each with the values that it is given."""
    found = NAMED.finditer((ISLANDS / island / "words.ts").read_text(encoding="utf-8"))
    return {each["name"]: set(USED.findall(each["values"])) for each in found}


def places(word: Word) -> set[str]:
    sentence = word(1) if callable(word) else str(word)
    return {name for _text, name, _form, _as in Formatter().parse(sentence) if name}


def test_every_island_that_speaks_has_its_words() -> None:
    assert {path.parent.name for path in ISLANDS.glob("*/words.ts") if "wordsOf" in path.read_text()} == set(WORDS)


@pytest.mark.parametrize("island", WORDS)
def test_an_island_asks_for_the_words_there_are_with_their_values(island: str) -> None:
    assert asked_for(island) == {name: places(word) for name, word in WORDS[island].items()}


@pytest.mark.parametrize("island", WORDS)
def test_no_word_is_there_for_nothing(island: str) -> None:
    sources = [path for path in (ISLANDS / island).glob("*.ts") if path.name != "words.ts"]
    used = {word for path in sources for word in USED.findall(path.read_text(encoding="utf-8"))}
    assert set(WORDS[island]) <= used


def words_in(html: str, island: str) -> dict[str, Any]:
    (found,) = re.findall(rf'<script id="{island}-words" type="application/json">(.*?)</script>', html, re.S)
    words: dict[str, Any] = json.loads(found)
    return words


def test_words_come_once_with_the_island(render: Render) -> None:
    html = render('{% island "lesson-player" %}{% island "lesson-player" %}{% island "app" %}')
    words = words_in(html, "lesson-player")
    assert words["play"] == "Play"
    assert words["notes"] == {
        "forms": ["{count} notes on the timeline", "{count} note on the timeline"],
        "which": "010",
    }


def test_words_are_in_the_language_of_the_page(catalog: Callable[..., None], render: Render) -> None:
    catalog({"Play": "Odtwórz"})
    assert words_in(render('{% island "lesson-player" %}'), "lesson-player")["play"] == "Play"
    with translation.override("pl"):
        words = words_in(render('{% island "lesson-player" %}'), "lesson-player")
    assert words["play"] == "Odtwórz"
    assert words["pause"] == "Pause", "what is not translated stays English"


def test_each_number_has_the_form_of_its_language(catalog: Callable[..., None]) -> None:
    catalog({("{count} note on the timeline", "{count} notes on the timeline"): ["jeden", "kilka", "wiele"]})
    with translation.override("pl"):
        told = words_in(words_script("lesson-player"), "lesson-player")["notes"]
    chosen = {n: told["forms"][int(told["which"][n])] for n in (0, 1, 2, 5, 12, 22, 101, 102, 112)}
    assert chosen == {
        0: "wiele", 1: "jeden", 2: "kilka", 5: "wiele", 12: "wiele", 22: "kilka", 101: "wiele", 102: "kilka", 112: "wiele",
    }  # fmt: skip
