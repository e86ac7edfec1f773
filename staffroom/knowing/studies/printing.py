"""An answer for people at a terminal: the sentence first, then the five measures, the checks, and what to mind. 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from staffroom.knowing.studies import observing

WIDTH = 80
TIERS = {1: "strong evidence", 2: "moderate evidence", 3: "promising evidence", 4: "a rationale only"}
ESTIMATORS = {
    "randomized": "who was drawn against who was not",
    "cutoff": "both sides of the cutoff",
    "imputation": "before and after, against those not taking part yet (imputation)",
    "callaway_santanna": "group-time effects (Callaway and Sant'Anna)",
    "etwfe": "extended two-way fixed effects (Wooldridge)",
    "twfe": "two-way fixed effects",
    "entropy_balanced": "comparison teachers weighted to be alike in prior score",
    "dose": "an association with doses, not an effect",
    "single_case": "each teacher against her own earlier ratings",
    "describe": "description only, no estimate",
}


def printed(result: Mapping[str, Any]) -> str:
    """The text of a whole result."""
    lines = [*_titled(str(result["study"]["name"]), "="), ""]
    several = result.get("studies", [result])
    for one in several:
        if len(several) > 1:
            lines += [*_titled(str(one["activity"]), "-"), ""]
        lines += [*_answer(one, f"{100 * result['level']:g} %"), ""]
    if "multiplicity" in result:
        lines += [*_multiplicity(result["multiplicity"]), ""]
    lines += [f"Input {result['input_hash'][:16]}, Staffroom {result['staffroom']}, seed {result['seed']}"]
    return "\n".join(lines) + "\n"


def _answer(one: Mapping[str, Any], level: str) -> Iterator[str]:
    yield from _wrapped(one["sentence"] or "There is nothing to say yet.")
    for reason in one["reasons"]:
        if reason not in one["sentence"]:
            yield from _wrapped(reason)
    yield ""
    n = one["n"]
    yield from _row("How", ESTIMATORS.get(one["estimator"], one["estimator"]))
    yield from _row("Evidence", f"tier {one['tier']} of 4: {TIERS[one['tier']]}")
    students = f"{n['students']} students, " if n["students"] is not None else ""
    counted = f"{students}{n['teachers']} teachers, {n['schools']} {'school' if n['schools'] == 1 else 'schools'}"
    if n.get("treated_teachers"):
        counted += f"; {n['treated_teachers']} teachers took part"
    yield from _row("Based on", counted)
    yield ""
    yield from _measures(one, level)
    yield ""
    yield from _event_times(one, level)
    yield from _listed("Did practice change?", observing.printed(one))
    yield from _checks(one)
    yield from _listed("Mind", one["warnings"])


def _measures(one: Mapping[str, Any], level: str) -> Iterator[str]:
    yield from _row("Impact", _effect(one["effect"], level))
    yield from _row("Replicability", _replicability(one["replicability"]))
    yield from _row("Scalability", _scalability(one["scalability"]))
    yield from _row("Efficiency", _efficiency(one["efficiency"]))
    yield from _row("Cost", _cost(one["cost"]))


def _effect(effect: Mapping[str, Any], level: str) -> str:
    if effect["sd"] is None:
        return "not known"
    text = f"{effect['sd']:+.3f} SD"
    if effect["low"] is not None:
        text += f", {level} interval {effect['low']:+.3f} to {effect['high']:+.3f}"
    else:
        text += ", no interval"
    if effect["p"] is not None:
        text += f", p {_p(effect['p'])}"
    if effect["raw"] is not None:
        text += f"; {effect['raw']:+.4g} in units of the outcome"
        text += f" (SE {effect['raw_se']:.4g})" if effect.get("raw_se") is not None else ""
    return text


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _replicability(found: Mapping[str, Any]) -> str:
    if not found["known"]:
        return f"not yet known{_why(found)}"
    text = f"the next {found['by'] or 'site'} should expect {found['prediction_low']:+.2f} to {found['prediction_high']:+.2f} SD"
    if found.get("probability_positive") is not None:
        text += f"; above zero with probability {found['probability_positive']:.2f}"
    return f"{text}; {found['sites']} {found['by'] or 'site'}s, {found['replications']} of them clear by themselves"


def _why(found: Mapping[str, Any]) -> str:
    from staffroom.measure.sentence import MESSAGES

    reason = str(found.get("reason", ""))
    if reason in MESSAGES:
        return f": {MESSAGES[reason] % found}"
    return f": {reason}" if " " in reason else ""


def _scalability(found: Mapping[str, Any]) -> str:
    if not found["known"]:
        return f"not yet known{_why(found)}"
    parts = []
    slope = found.get("slope")
    if slope and slope.get("sd") is not None:
        interval = f" ({slope['low']:+.3f} to {slope['high']:+.3f})" if slope.get("low") is not None else ""
        parts.append(f"{slope['sd']:+.3f} SD{interval} with each doubling of teachers")
    if found.get("last_over_first") is not None:
        parts.append(
            f"last wave over first {found['last_over_first']:.2f} ({_set(found, 'ratio_low', 'ratio_high', 'ratio_shape')})"
        )
    if found.get("dose_delivered") is not None:
        parts.append(f"{100 * found['dose_delivered']:.0f} % of the planned hours delivered")
    return "; ".join(parts) or "not yet known"


def _set(found: Mapping[str, Any], low: str, high: str, shape: str) -> str:
    if found.get(shape) == "everything" or found.get(low) is None or found.get(high) is None:
        return "no bounds"
    if found.get(shape) == "outside":
        return f"below {found[low]:.2f} or above {found[high]:.2f}"
    return f"{found[low]:.2f} to {found[high]:.2f}"


def _efficiency(found: Mapping[str, Any]) -> str:
    ratio = found.get("sd_per_10_hours")
    if not found["known"] or not ratio or ratio.get("value") is None:
        return f"not known{_why(found)}"
    return f"{ratio['value']:+.3f} SD per 10 hours of a teacher ({_set(ratio, 'low', 'high', 'shape')})"


def _cost(found: Mapping[str, Any]) -> str:
    if not found["known"]:
        return f"not known{_why(found)}"
    parts = []
    for key, what in (("per_teacher_usd_cents", "a teacher"), ("per_student_usd_cents", "a student")):
        if found.get(key) is not None:
            parts.append(f"${found[key] / 100:,.2f} {what}")
    if found.get("per_student_se_usd_cents") is not None:
        half = 1.96 * found["per_student_se_usd_cents"] / 100
        parts[-1] += f" (give or take ${half:,.2f})"
    if found.get("marginal_teacher_usd_cents") is not None:
        parts.append(f"${found['marginal_teacher_usd_cents'] / 100:,.2f} for one more teacher")
    ratio = found.get("sd_per_1000_usd")
    if ratio and ratio.get("value") is not None:
        parts.append(f"{ratio['value']:+.3f} SD per $1,000 a student ({_set(ratio, 'low', 'high', 'shape')})")
    year = f" (prices of {found['price_year']})" if found.get("price_year") else ""
    return "; ".join(parts) + year if parts else "not known"


def _event_times(one: Mapping[str, Any], level: str) -> Iterator[str]:
    shown = [line for line in one["by_event_time"] if line["event_time"] is not None]
    if not shown:
        return
    yield f"Terms since taking part first        SD   {level + ' interval':<16} {'students':>9} {'teachers':>9}"
    for line in shown:
        effect, interval = line["effect"], ""
        if effect["low"] is not None:
            interval = f"{effect['low']:+.3f} to {effect['high']:+.3f}"
        size = "hidden" if line["hidden"] or effect["sd"] is None else f"{effect['sd']:+.3f}"
        yield f"{line['event_time']:>28} {size:>10}   {interval:<16} {line['n']['students']:>9} {line['n']['teachers']:>9}"
    yield ""


def _checks(one: Mapping[str, Any]) -> Iterator[str]:
    if one["gates"]:
        yield "Checks"
    for gate in one["gates"]:
        yield from _wrapped(gate["sentence"], first="  ok    " if gate["passed"] else "  but   ", rest="        ")


def _listed(title: str, sentences: list[str]) -> Iterator[str]:
    if sentences:
        yield title
    for sentence in sentences:
        yield from _wrapped(sentence, first="  - ", rest="    ")


def _multiplicity(found: Mapping[str, Any]) -> Iterator[str]:
    yield from _titled("All activities together", "-")
    yield from _wrapped("Asking many questions finds some answers by luck; the second p-value takes that into account.")
    for one in found["activities"]:
        p = "unknown" if one["p"] is None else f"p {_p(one['p'])}, with all others {_p(one['adjusted_p'])}"
        yield f"  {one['activity'][:40]:<40} {p}"


def _titled(text: str, under: str) -> list[str]:
    short = textwrap.shorten(" ".join(text.split()), WIDTH, placeholder="…")
    return [short, under * len(short)]


def _row(name: str, text: str) -> Iterator[str]:
    yield from _wrapped(text, first=f"{name:<15} ", rest=" " * 16)


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest) or [first.rstrip()]
