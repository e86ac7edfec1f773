"""Numbers as people read them, and what a picture is called through: `say` translates a sentence with %(names)s in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

type Say = Callable[[str], str]

EVIDENCE: Mapping[int, str] = {
    1: "Strong evidence",
    2: "Moderate evidence",
    3: "Promising evidence",
    4: "Rationale only",
}


def counted(say: Say, one: str, many: str, number: float | None) -> str:
    """The form of a sentence for a number of things; a `say` that knows more forms than English has them as `forms`."""
    forms = getattr(say, "forms", None)
    whole = 0 if number is None else round(number)
    return str(forms(one, many, whole)) if forms else say(one if whole == 1 else many)


def signed(value: float | None, places: int = 2) -> str:
    """+0.12, −0.03; a real minus sign, and none before a zero."""
    if value is None:
        return "–"
    said = f"{value:+.{places}f}".replace("-", "−")
    return said if any(digit in said for digit in "123456789") else said[1:]


def count(value: float | None) -> str:
    return "–" if value is None else f"{round(value):,}"


def dollars(cents: float | None) -> str:
    """Whole dollars from ten on, cents below."""
    if cents is None:
        return "–"
    amount = abs(cents) / 100
    if amount == 0:
        return "$0"
    return f"{'−' if cents < 0 else ''}${amount:,.0f}" if amount >= 10 else f"{'−' if cents < 0 else ''}${amount:,.2f}"


def percent(share: float | None) -> str:
    """Of a probability; never 0 or 100, which nothing here is."""
    if share is None:
        return "–"
    return "<1 %" if share < 0.005 else ">99 %" if share > 0.995 else f"{100 * share:.0f} %"


def likely(effect: Mapping[str, Any], say: Say) -> str:
    return say("%(low)s to %(high)s") % {"low": signed(effect["low"]), "high": signed(effect["high"])}


def spread(low: float | None, high: float | None, say: Say) -> str:
    """A set between two numbers; where an end is missing, it says so."""
    if low is None and high is None:
        return say("no end on either side")
    if low is None:
        return say("below %(high)s") % {"high": signed(high)}
    if high is None:
        return say("above %(low)s") % {"low": signed(low)}
    return say("%(low)s to %(high)s") % {"low": signed(low), "high": signed(high)}


def behind(n: Mapping[str, Any], say: Say) -> str:
    """How much stands behind a number."""
    parts = []
    if n.get("teachers"):
        said = counted(say, "%(count)s teacher", "%(count)s teachers", n["teachers"])
        parts.append(said % {"count": count(n["teachers"])})
    if n.get("schools"):
        parts.append(
            counted(say, "%(count)s school", "%(count)s schools", n["schools"]) % {"count": count(n["schools"])}
        )
    if n.get("results") or n.get("students"):
        number = n.get("results") or n["students"]
        if n.get("results"):
            said = counted(say, "%(count)s result", "%(count)s results", number)
        else:
            said = counted(say, "%(count)s student", "%(count)s students", number)
        parts.append(said % {"count": count(number)})
    return ", ".join(parts)


def short(text: str, length: int = 14) -> str:
    """For narrow drawings: the beginning of a name."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
