"""All activities beside each other: groups and suggestions follow from intervals alone and say their rule; nothing is ranked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffroom.knowing.impact import comparing


def answer(sd: float, half: float, **more: Any) -> dict[str, Any]:
    return {
        "estimator": "imputation",
        "effect": {"sd": sd, "se": half / 1.96, "low": sd - half, "high": sd + half},
        "n": {},
        **more,
    }


def spread(chance: float | None, low: float = 0.01, q_p: float = 0.5) -> dict[str, Any]:
    return {
        "replicability": {
            "known": True,
            "probability_positive": chance,
            "prediction_low": low,
            "prediction_high": 0.4,
            "q_p": q_p,
        }
    }


@pytest.mark.parametrize(
    ("found", "group"),
    [
        (answer(0.2, 0.1), "above"), (answer(-0.2, 0.1), "below"), (answer(0.0, 0.05), "small"), (answer(0.05, 0.2), "open"),
        ({"estimator": "describe", "effect": None}, "unknown"), (None, "unknown"),
    ],
)  # fmt: skip
def test_a_group_is_where_the_whole_interval_lies(found: dict[str, Any] | None, group: str) -> None:
    assert comparing.group_of(found) == group


@pytest.mark.parametrize(
    ("found", "key", "figure"),
    [
        (answer(0.0, 0.05), "stop", "0.10 SD"),
        (answer(-0.3, 0.05), "stop", "−0.35"),
        (answer(0.05, 0.2), "test", "−0.15 to +0.25"),
        (answer(0.2, 0.1), "test", "three sites"),
        (answer(0.2, 0.1, **spread(0.6)), "fix", "60 %"),
        (answer(0.2, 0.1, **spread(0.85, -0.1, 0.001)), "fix", "differ more than chance"),
        (answer(0.2, 0.1, **spread(0.9), scalability={"slope": {"sd": -0.05, "high": -0.01}}), "fix", "−0.05 SD"),
        (answer(0.2, 0.1, **spread(0.9), scalability={"dose_delivered": 0.5}), "fix", "50 %"),
        (answer(0.2, 0.1, **spread(0.9)), "grow", "90 %"),
    ],
)  # fmt: skip
def test_a_suggestion_states_its_rule_and_the_figures_it_used(found: dict[str, Any], key: str, figure: str) -> None:
    suggestion = comparing.suggestion_for(found)
    assert suggestion is not None
    assert suggestion.key == key
    assert figure in suggestion.said


def test_what_nothing_is_known_of_gets_no_suggestion() -> None:
    assert comparing.suggestion_for(None) is None
    bare = {"estimator": "imputation", "effect": {"sd": 0.3, "se": None, "low": None, "high": None}}
    assert comparing.suggestion_for(bare) is None


@given(st.floats(-1, 1), st.floats(0.01, 1), st.one_of(st.none(), st.floats(0, 1)))
def test_nothing_grows_that_may_be_nothing(sd: float, half: float, chance: float | None) -> None:
    suggestion = comparing.suggestion_for(answer(sd, half, **spread(chance)))
    assert suggestion is not None
    if suggestion.key == "grow":
        assert sd - half > 0
        assert chance is not None
        assert chance >= comparing.LIKELY
    if suggestion.key == "stop":
        assert sd + half < comparing.MATTERS


def test_only_pairs_that_differ_are_told_apart() -> None:
    found = [("Talks", answer(0.3, 0.05)), ("Days", answer(0.0, 0.05)), ("Rounds", answer(0.28, 0.05))]
    pairs = [(higher, lower) for higher, lower, _p in comparing.apart(found)]
    assert set(pairs) == {("Talks", "Days"), ("Rounds", "Days")}
    assert comparing.apart([("Talks", answer(0.3, 0.3)), ("Days", answer(0.0, 0.3))]) == []
    assert comparing.apart([("Talks", answer(0.3, 0.05))]) == []


def test_many_pairs_make_it_harder_to_tell_two_apart() -> None:
    """Benjamini and Hochberg: one pair among many alike has to differ more."""
    pair = [("A", answer(0.145, 0.1)), ("B", answer(0.0, 0.1))]
    alike = [(f"C{n}", answer(0.07, 0.1)) for n in range(8)]
    assert [each[:2] for each in comparing.apart(pair)] == [("A", "B")]
    assert comparing.apart([*pair, *alike]) == []


def test_what_is_kept_for_the_list_has_no_line_of_a_site() -> None:
    whole = {
        **answer(0.2, 0.1), "gates": [{"name": "minimum_detectable_effect", "limit": 0.15}], "by_event_time": [1], "details": {"x": 1},
        "replicability": {"known": True, "by_site": [{"group": "key"}]}, "scalability": {"by_wave": [{}, {}]},
        "cost": {"known": True, "acceptability": [[1, 0.5]], "by_ingredient": [["x", 1]]},
    }  # fmt: skip
    kept = comparing.brief(whole)
    assert "by_site" not in kept["replicability"]
    assert kept["scalability"] == {"waves": 2}
    assert kept["cost"] == {"known": True}
    assert not {"by_event_time", "details"} & set(kept)
    assert comparing.smallest_of(kept) == 0.15
