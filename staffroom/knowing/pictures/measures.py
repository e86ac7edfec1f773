"""The five measures of an answer: each with its interval, with what stands behind it and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from staffroom.knowing.pictures.reading import has_interval, is_number, shown
from staffroom.knowing.pictures.waves import ratio_in_words
from staffroom.knowing.pictures.words import (
    EVIDENCE,
    Say,
    behind,
    count,
    counted,
    dollars,
    likely,
    percent,
    signed,
    spread,
)

UNKNOWN = "—"


@dataclass(frozen=True)
class Measure:
    """One of the five: a number with its unit, what is likely in words, what stands behind it, and the tier."""

    key: str
    label: str
    value: str
    unit: str = ""
    range: str = ""
    behind: str = ""
    tier: int | None = None

    @property
    def is_known(self) -> bool:
        return self.value != UNKNOWN


def five(answer: Mapping[str, Any], say: Say = str) -> list[Measure]:
    """Impact, replicability, scalability, efficiency and cost, in this order; what is not known says why."""
    return [
        _impact(answer, say), _replicability(answer, say), _scalability(answer, say), _efficiency(answer, say), _cost(answer, say)
    ]  # fmt: skip


def _tier(answer: Mapping[str, Any]) -> int | None:
    return answer.get("tier", 4) if answer.get("effect") else None


def tier_name(tier: int | None, say: Say) -> str:
    return say(EVIDENCE[tier]) if tier else ""


def _impact(answer: Mapping[str, Any], say: Say) -> Measure:
    effect, label = answer.get("effect"), say("Impact")
    if not effect or not has_interval(effect):
        return Measure("impact", label, UNKNOWN, range=say("Not yet known: see the sentence above."))
    said = say("likely %(spread)s") % {"spread": likely(effect, say)}
    if is_number(answer.get("improvement_index")):
        points = signed(answer["improvement_index"], 0)
        said += "; " + say("%(points)s percentile points for a student in the middle") % {"points": points}
    return Measure(
        "impact", label, signed(effect["sd"]), say("SD"), said, behind(answer.get("n") or {}, say), _tier(answer)
    )


def _replicability(answer: Mapping[str, Any], say: Say) -> Measure:
    found, label = answer.get("replicability") or {}, say("Replicability")
    low, high = found.get("prediction_low"), found.get("prediction_high")
    if not found.get("known") or not is_number(low) or not is_number(high):
        said = say("Not yet known: needs estimates of at least three sites or cohorts.")
        return Measure("replicability", label, UNKNOWN, range=said)
    said = say("for the next site: likely %(low)s to %(high)s SD") % {"low": signed(low), "high": signed(high)}
    chance = found.get("probability_positive")
    value, unit = (
        (percent(chance), say("chance of a gain"))
        if is_number(chance)
        else (f"{signed(low)} … {signed(high)}", say("SD"))
    )
    sites = found.get("sites") or len(shown(found.get("by_site")))
    said_of = counted(
        say, "%(sites)s site, %(own)s of them above zero by itself", "%(sites)s sites, %(own)s of them above zero by themselves", sites
    )  # fmt: skip
    own = said_of % {
        "sites": count(sites), "own": count(found.get("replications") or 0)}  # fmt: skip
    return Measure("replicability", label, value, unit, said, own, _tier(answer))


def _scalability(answer: Mapping[str, Any], say: Say) -> Measure:
    found, label = answer.get("scalability") or {}, say("Scalability")
    slope = found.get("slope")
    if not found.get("known") or not slope or not has_interval(slope):
        said = say("Not yet known: needs effect and cost of several waves of teachers.")
        return Measure("scalability", label, UNKNOWN, range=said)
    said = say("with every doubling of teachers, likely %(spread)s") % {"spread": likely(slope, say)}
    many = found.get("waves") or len(found.get("by_wave") or ())
    own = counted(say, "%(waves)s wave", "%(waves)s waves", many) % {"waves": count(many)}
    if is_number(found.get("last_over_first")):
        own += "; " + say("last over first %(ratio)s, %(likely)s") % {
            "ratio": f"{found['last_over_first']:.2f}", "likely": ratio_in_words(found, say)}  # fmt: skip
    return Measure("scalability", label, signed(slope["sd"]), say("SD"), said, own, _tier(answer))


def _efficiency(answer: Mapping[str, Any], say: Say) -> Measure:
    found, label = answer.get("efficiency") or {}, say("Efficiency")
    ratio = found.get("sd_per_10_hours") or {}
    if not found.get("known") or not is_number(ratio.get("value")):
        said = say("Not yet known: needs an effect with its interval, and hours.")
        return Measure("efficiency", label, UNKNOWN, range=said)
    own = counted(
        say, "%(hours)s hours each, %(teachers)s teacher", "%(hours)s hours each, %(teachers)s teachers", found.get("teachers")
    ) % {
        "hours": f"{found.get('hours_per_teacher') or 0:,.1f}", "teachers": count(found.get("teachers"))}  # fmt: skip
    said = say("for ten hours of a teacher, %(likely)s") % {"likely": ratio_set(ratio, say)}
    return Measure("efficiency", label, signed(ratio["value"]), say("SD"), said, own, _tier(answer))


def ratio_set(ratio: Mapping[str, Any], say: Say) -> str:
    """What is likely around a ratio; not every such set has ends, and then that is said."""
    if ratio.get("shape") == "bounded" and is_number(ratio.get("low")) and is_number(ratio.get("high")):
        return say("likely %(spread)s") % {"spread": spread(ratio["low"], ratio["high"], say)}
    return say("the interval has no end")


def _cost(answer: Mapping[str, Any], say: Say) -> Measure:
    found, label = answer.get("cost") or {}, say("Cost")
    each = found.get("per_student_usd_cents")
    value = each if is_number(each) else found.get("per_teacher_usd_cents")
    if not found.get("known") or not is_number(value):
        return Measure(
            "cost", label, UNKNOWN, range=say("Not yet known: no ingredients, or too few people to show it.")
        )
    parts = []
    if is_number(each) and is_number(found.get("per_teacher_usd_cents")):
        parts.append(say("%(amount)s a teacher") % {"amount": dollars(found["per_teacher_usd_cents"])})
    if is_number(found.get("marginal_teacher_usd_cents")):
        parts.append(say("%(amount)s for one more teacher") % {"amount": dollars(found["marginal_teacher_usd_cents"])})
    ratio = found.get("sd_per_1000_usd") or {}
    if is_number(ratio.get("value")):
        values = {"sd": signed(ratio["value"]), "likely": ratio_set(ratio, say)}
        parts.append(say("%(sd)s SD for $1,000 a student, %(likely)s") % values)
    own = say("beyond business as usual, prices of %(year)s") % {"year": found.get("price_year") or UNKNOWN}
    return Measure(
        "cost", label, dollars(value), say("a student") if is_number(each) else say("a teacher"), "; ".join(parts), own
    )
