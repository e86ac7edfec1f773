"""Words of pictures and answers: one thing is said as one thing, and everything that is said can be found by gettext."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from staffroom.knowing import pictures
from staffroom.knowing.impact import wording
from staffroom.knowing.impact.management.commands.makemessages import in_calls
from staffroom.knowing.pictures.words import behind, counted
from staffroom.measure.sentence import MESSAGES, say
from staffroom.measure.singular import ONE

SAYING = {"say": (0,), "counted": (1, 2)}
"""Functions that words go through, and where these stand: as `makemessages` is told."""


def test_one_school_is_said_as_one() -> None:
    assert behind({"teachers": 1, "schools": 1, "results": 1}, str) == "1 teacher, 1 school, 1 result"
    assert behind({"teachers": 2, "schools": 12, "students": 1_000}, str) == "2 teachers, 12 schools, 1,000 students"
    assert wording.basis({"schools": 1, "terms": 1, "results": 40}) == "1 school, 40 results, 1 term"


def test_a_language_with_more_forms_is_asked_for_its_own() -> None:
    class Polish:
        def __call__(self, text: str) -> str:
            raise AssertionError(text)

        def forms(self, one: str, many: str, number: int) -> str:
            return ("szkoła", "szkoły", "szkół")[0 if number == 1 else 1 if number % 10 in (2, 3, 4) else 2]

    assert [counted(Polish(), "school", "schools", number) for number in (1, 3, 5)] == ["szkoła", "szkoły", "szkół"]


def test_a_sentence_about_one_school_says_so_in_both_languages_of_the_house() -> None:
    said = say("few_treated_schools", schools=1)
    assert str(said) == "Only 1 school has teachers who took part; intervals may be too narrow."
    assert wording.sentence(pictures.plain(said)) == str(said)
    assert "schools have" in str(say("few_treated_schools", schools=2))


def test_of_one_teacher_a_page_still_says_fewer_than_five() -> None:
    kept = pictures.plain(say("stopped", teachers=1))
    assert wording.sentence(kept).startswith("fewer than 5 teachers stopped")


@pytest.mark.parametrize("message", sorted(ONE))
def test_sentences_about_one_take_the_numbers_that_those_about_many_take(message: str) -> None:
    counting, one = ONE[message]

    class Every(dict[str, int]):
        def __missing__(self, name: str) -> int:
            self[name] = 1
            return 1

    taken = [Every(), Every()]
    assert all(text % values for text, values in zip((one, MESSAGES[message]), taken, strict=True))
    assert set(taken[0]) == set(taken[1]) >= {counting}


def test_gettext_finds_every_word_of_pictures_and_every_sentence() -> None:
    """Words go through the functions that `makemessages` knows as literals, never as a name or an f-string."""
    loose = []
    for path in Path(pictures.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SAYING:
                places = [call.args[place] for place in SAYING[call.func.id]]
                loose += [f"{path.name}: {ast.unparse(one)}" for one in places if not isinstance(one, ast.Constant)]
    # Tiers are a table whose words stand in `wording.TIERS` too; `counted` hands on what it was given.
    assert not [each for each in loose if "EVIDENCE[" not in each and each != "words.py: one if whole == 1 else many"]
    calls = [node for node in ast.walk(ast.parse(in_calls())) if isinstance(node, ast.Call)]
    assert {ast.literal_eval(argument) for call in calls for argument in call.args} >= set(MESSAGES.values())
