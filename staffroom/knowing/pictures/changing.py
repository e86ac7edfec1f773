"""What would change the answer, in plain words: drift, a single site, and how much more would have to be known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from staffroom.knowing.pictures.checks import breakdown_of
from staffroom.knowing.pictures.reading import has_interval, is_number
from staffroom.knowing.pictures.words import Say, count, signed


def what_would_change(answer: Mapping[str, Any], say: Say = str) -> list[str]:
    """Sentences, those that matter most first; empty if there is no estimate."""
    if not answer.get("effect"):
        return []
    return [said for said in (_drift(answer, say), _one_site(answer, say), *_power(answer, say)) if said]


def _drift(answer: Mapping[str, Any], say: Say) -> str:
    found = breakdown_of(answer)
    if not is_number(found):
        return ""
    if found <= 0:
        return say(
            "Nothing has to change: zero is among what is likely already, even if both sides would have gone on alike."
        )
    return say(
        "Drift: if those who took part had drifted away from the others after taking part more than %(times)s times as fast as at "
        "most before, zero would be among what is likely."
    ) % {"times": f"{found:.1f}"}


def _one_site(answer: Mapping[str, Any], say: Say) -> str:
    found = answer.get("replicability") or {}
    low, high, pooled = found.get("leave_one_out_low"), found.get("leave_one_out_high"), found.get("pooled")
    if not is_number(low) or not is_number(high) or not pooled:
        return ""
    values = {"low": signed(low), "high": signed(high), "sd": signed(pooled.get("sd"))}
    said = say(
        "One site: the average of the sites is %(sd)s SD; leaving out any one of them, it lies between %(low)s and %(high)s."
    )
    end = say("No single site decides.") if low * high > 0 else say("So a single site can turn its direction.")
    return f"{said % values} {end}"


def _power(answer: Mapping[str, Any], say: Say) -> list[str]:
    found = []
    if is_number(answer.get("mde")):
        found.append(
            say("Size: an effect of less than %(mde)s SD would most likely not be seen with these schools.")
            % {"mde": f"{answer['mde']:.2f}"}
        )
    if answer.get("more_teachers"):
        found.append(
            say("More: about %(more)s more teachers taking part would show the smallest effect that would matter.")
            % {"more": count(answer["more_teachers"])}
        )
    if has_interval(answer.get("effect")) and answer["effect"]["low"] <= 0 <= answer["effect"]["high"]:
        found.append(say("As it stands, both a gain and a loss are among what is likely."))
    return found
