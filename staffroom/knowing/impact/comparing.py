"""All activities beside each other: in groups that their intervals allow, with a suggestion that states its rule. No ranks.

A group says where the whole interval lies. Two activities are told apart only where the difference of their effects is: all pairs
are tested at once (Benjamini and Hochberg 1995), taking their estimates as independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Any

from django.utils.translation import gettext as _

from staffroom.knowing.impact import wording
from staffroom.knowing.pictures.words import percent

MATTERS = 0.10
"""The smallest effect that matters, in SD, where nobody has said another."""
LIKELY = 0.80
"""From this chance of a gain at the next site on, growing is suggested; planned hours are delivered from this share on."""
ALPHA = 0.05

type Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Suggestion:
    """What one might do next: `key` one of grow, fix, test and stop; `said` states the rule and the figures it used."""

    key: str
    said: str

    @property
    def label(self) -> str:
        return names()[self.key]

    @property
    def tone(self) -> str:
        return {"grow": "good", "fix": "warn", "test": "accent", "stop": "bad"}[self.key]


def names() -> dict[str, str]:
    return {"grow": _("Grow"), "fix": _("Fix"), "test": _("Test"), "stop": _("Stop")}


def groups() -> dict[str, str]:
    """Where a whole interval lies, in the order in which groups are shown."""
    return {
        "above": _("A gain, as far as chance can be ruled out"),
        "open": _("Cannot tell yet"),
        "small": _("At most a small effect, either way"),
        "below": _("A loss, as far as chance can be ruled out"),
        "unknown": _("Not known yet"),
    }


def brief(answer: Answer) -> dict[str, Any]:
    """An answer without its lines and tables: what the view of all activities needs."""
    scalability, cost = answer.get("scalability") or {}, answer.get("cost") or {}
    kept = {
        name: answer.get(name) for name in ("estimator", "effect", "n", "tier", "efficiency", "mde", "more_teachers")
    }
    return {
        **kept,
        "replicability": _without(answer.get("replicability"), "by_site"),
        "scalability": {**_without(scalability, "by_wave"), "waves": len(scalability.get("by_wave") or ())},
        "cost": _without(cost, "acceptability", "by_payer", "by_ingredient"),
        "smallest": smallest_of(answer),
    }


def _without(part: Answer | None, *names: str) -> dict[str, Any]:
    return {name: value for name, value in (part or {}).items() if name not in names}


def smallest_of(answer: Answer) -> float:
    """The smallest effect that would matter, as the answer's own check has it."""
    limits = [gate["limit"] for gate in answer.get("gates") or () if gate["name"] == "minimum_detectable_effect"]
    return float(answer.get("smallest") or next(iter(limits), None) or MATTERS)


def has_interval(answer: Answer | None) -> bool:
    effect = (answer or {}).get("effect")
    return effect is not None and None not in (effect["sd"], effect["low"], effect["high"])


def group_of(answer: Answer | None) -> str:
    """Where the whole interval of an effect lies."""
    if answer is None or not has_interval(answer):
        return "unknown"
    low, high = answer["effect"]["low"], answer["effect"]["high"]
    if low > 0:
        return "above"
    if high < 0:
        return "below"
    return "small" if max(-low, high) < smallest_of(answer) else "open"


def suggestion_for(answer: Answer | None) -> Suggestion | None:
    """What the interval, the next site and the waves suggest; nothing where there is no interval."""
    if answer is None or not has_interval(answer):
        return None
    effect, smallest = answer["effect"], smallest_of(answer)
    spread = wording.interval(effect["low"], effect["high"])
    if effect["high"] < smallest:
        said = _("The whole interval lies below %(smallest).2f SD, the smallest effect that matters: %(spread)s.")
        return Suggestion("stop", said % {"smallest": smallest, "spread": spread})
    if effect["low"] <= 0:
        said = _(
            "The interval holds zero as well as an effect that matters (%(spread)s): ask it as a study, best with seats drawn by lot."
        )
        return Suggestion("test", said % {"spread": spread})
    return _of_a_gain(answer, spread)


def _of_a_gain(answer: Answer, spread: str) -> Suggestion:
    """It works here on average: elsewhere too, and as it spreads?"""
    sites, waves = answer.get("replicability") or {}, answer.get("scalability") or {}
    chance, slope, dose = sites.get("probability_positive"), waves.get("slope") or {}, waves.get("dose_delivered")
    if chance is None:
        said = _("It gains (%(spread)s), but what the next site should expect is not known: that needs three sites.")
        return Suggestion("test", said % {"spread": spread})
    if chance < LIKELY:
        said = _(
            "It gains on average (%(spread)s), but the chance that the next site gains is %(chance)s, below 80 %%: "
            "find out where it works and why."
        )
        return Suggestion("fix", said % {"spread": spread, "chance": percent(chance)})
    if sites.get("q_p") is not None and sites["q_p"] < ALPHA and sites["prediction_low"] < 0:
        said = _(
            "It gains on average (%(spread)s), but sites differ more than chance would have it, and the next one may gain nothing "
            "(%(next)s): find out where it works and why."
        )
        return Suggestion(
            "fix",
            said % {"spread": spread, "next": wording.interval(sites["prediction_low"], sites["prediction_high"])},
        )
    if slope.get("high") is not None and slope["high"] < 0:
        said = _(
            "It gains (%(spread)s), but less and less as it spreads (%(slope)s SD with every doubling): find out what is lost."
        )
        return Suggestion("fix", said % {"spread": spread, "slope": wording.signed(slope["sd"])})
    if dose is not None and dose < LIKELY:
        said = _("It gains (%(spread)s), but only %(dose)s of the planned hours were delivered, below 80 %%.")
        return Suggestion("fix", said % {"spread": spread, "dose": percent(dose)})
    said = _(
        "The whole interval lies above zero (%(spread)s), and the chance that the next site gains is %(chance)s, at least 80 %%."
    )
    return Suggestion("grow", said % {"spread": spread, "chance": percent(chance)})


def apart(found: Sequence[tuple[str, Answer]]) -> list[tuple[str, str, float]]:
    """Pairs of (name, answer) whose effects differ: (higher, lower, p adjusted for all pairs), surest first."""
    known = [(name, answer["effect"]) for name, answer in found if has_interval(answer) and answer["effect"].get("se")]
    pairs = [(one, other, _p(one[1], other[1])) for one, other in combinations(known, 2)]
    if not pairs:
        return []
    from staffroom.measure.multiplicity import benjamini_hochberg

    adjusted = benjamini_hochberg([p for _one, _other, p in pairs])
    differ = [
        (*_ordered(one, other), float(p)) for (one, other, _raw), p in zip(pairs, adjusted, strict=True) if p <= ALPHA
    ]
    return sorted(differ, key=lambda each: each[2])


def _p(one: Answer, other: Answer) -> float:
    error = (_error(one) ** 2 + _error(other) ** 2) ** 0.5
    return 2 * NormalDist().cdf(-abs(one["sd"] - other["sd"]) / error)


def _error(effect: Answer) -> float:
    """As wide as the interval tells, which is wider than its own error where there are few schools."""
    return max(float(effect["se"]), float(effect["high"] - effect["low"]) / (2 * NormalDist().inv_cdf(0.975)))


def _ordered(one: tuple[str, Answer], other: tuple[str, Answer]) -> tuple[str, str]:
    return (one[0], other[0]) if one[1]["sd"] > other[1]["sd"] else (other[0], one[0])
