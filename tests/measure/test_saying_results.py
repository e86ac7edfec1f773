import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffroom.measure.sentence import MESSAGES, headline, ordinal, say


def said(effect, low, high, *, detectable=0.07, smallest=0.10, schools=30, treated_teachers=50):
    return headline(
        effect=effect,
        low=low,
        high=high,
        schools=schools,
        detectable=detectable,
        smallest=smallest,
        treated_teachers=treated_teachers,
    )


def test_a_clear_gain():
    assert str(said(0.12, 0.07, 0.17)[0]) == (
        "Students whose teachers took part scored 0.12 SD higher (likely between 0.07 and 0.17): "
        "a student in the middle would move from the 50th to the 55th percentile."
    )


def test_a_clear_loss_is_said_with_its_own_ends():
    assert str(said(-0.12, -0.17, -0.07)[0]) == (
        "Students whose teachers took part scored 0.12 SD lower (likely between 0.07 and 0.17 lower): "
        "a student in the middle would move from the 50th to the 45th percentile."
    )


def test_not_enough_yet_names_how_many_more():
    unsure, more = said(0.05, -0.09, 0.19, detectable=0.20)
    assert unsure.message == "cannot_tell"
    assert more.values == {"more": 150, "smallest": 0.10}
    assert str(more).startswith("Not enough yet: about 150 more teachers taking part")


def test_a_small_effect_is_told_from_not_knowing():
    assert said(0.01, -0.04, 0.06)[0].message == "small"


def test_too_few_schools_claim_no_interval():
    (only,) = said(0.2, None, None, detectable=None, schools=4)
    assert only.message == "no_interval"
    assert "between" not in str(only)


@given(st.floats(-1, 1), st.floats(0.001, 1), st.floats(0.001, 1))
def test_higher_or_lower_is_said_only_where_the_interval_excludes_zero(effect, below, above):
    messages = {sentence.message for sentence in said(effect, effect - below, effect + above)}
    assert ("higher" in messages) == (effect - below > 0)
    assert ("lower" in messages) == (effect + above < 0)


def test_every_message_can_be_said():
    for message, template in MESSAGES.items():
        names = re.findall(r"%\((\w+)\)([.\d]*[a-z])", template)
        values = {name: "x" if kind == "s" else 3 for name, kind in names}
        assert "%" not in str(say(message, **values)).replace("95 %", "")


def test_a_sentence_without_its_numbers_is_refused():
    with pytest.raises(KeyError):
        say("cannot_tell", low=0.1)
    with pytest.raises(KeyError):
        say("no such message")


def test_ordinals():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 50, 55, 92)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "50th", "55th", "92nd"]
    )
