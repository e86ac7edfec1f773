"""Numbers and sentences as people read them. The sentences are those of `measure.sentence`, translated.

Where a lower result is the better one, effects above zero are still ones for the better (`studying` turns outcomes round), so the
sentences that speak of higher and lower scores say it the other way round here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from staffroom.knowing.impact.hiding import SMALLEST
from staffroom.measure.sentence import MESSAGES
from staffroom.measure.singular import ONE
from staffroom.people.models import Role
from staffroom.records.models import Price
from staffroom.ui import numbers

LOWER_IS_BETTER: Mapping[str, str] = {
    "higher": gettext_noop(
        "Students whose teachers took part scored %(size).2f SD lower, which is better here (likely between %(low).2f and "
        "%(high).2f lower): a student in the middle would do better than before, at the %(ordinal)s percentile."
    ),
    "lower": gettext_noop(
        "Students whose teachers took part scored %(size).2f SD higher, which is worse here (likely between %(low).2f and "
        "%(high).2f higher): a student in the middle would do worse than before, at the %(ordinal)s percentile."
    ),
    "students_higher": gettext_noop(
        "Students who were drawn scored %(size).2f SD lower than those who were not, which is better here (likely between "
        "%(low).2f and %(high).2f lower): a student in the middle would do better than before, at the %(ordinal)s percentile."
    ),
    "students_lower": gettext_noop(
        "Students who were drawn scored %(size).2f SD higher than those who were not, which is worse here (likely between "
        "%(low).2f and %(high).2f higher): a student in the middle would do worse than before, at the %(ordinal)s percentile."
    ),
    "students_no_interval": gettext_noop(
        "Students who were drawn scored %(size).2f SD %(direction)s than those who were not (lower is better here); so few "
        "do not let us say how sure that is."
    ),
    "no_interval": gettext_noop(
        "In %(schools)d schools students whose teachers took part scored %(size).2f SD %(direction)s (lower is better "
        "here); so few schools do not let us say how sure that is."
    ),
}
MINUS = re.compile(r"(?<![\w.])-(?=\d)")
# Whole numbers in a sentence.
WHOLE = re.compile(r"%\((\w+)\)d")
REMARKED = ("small", "cannot_tell", "students_cannot_tell")
PEOPLE = ("teachers", "students", "results", "cases")

TIERS = {
    1: (gettext_noop("Strong evidence"), "good"),
    2: (gettext_noop("Moderate evidence"), "good"),
    3: (gettext_noop("Promising evidence"), "accent"),
    4: (gettext_noop("Rationale only"), ""),
}
ESTIMATORS = {
    "randomized": gettext_noop("lottery"),
    "cutoff": gettext_noop("cutoff"),
    "imputation": gettext_noop("imputation"),
    "callaway_santanna": gettext_noop("Callaway–Sant’Anna"),
    "callaway_santanna_notyet": gettext_noop("Callaway–Sant’Anna, compared with those who begin later too"),
    "etwfe": gettext_noop("extended two-way fixed effects"),
    "twfe": gettext_noop("two-way fixed effects"),
    "entropy_balanced": gettext_noop("weighting to equal prior scores"),
    "dose": gettext_noop("association with dose"),
    "single_case": gettext_noop("single cases"),
    "describe": gettext_noop("description only"),
    "complier": gettext_noop("those who took the seat they drew"),
    "unadjusted": gettext_noop("plain difference of means"),
    "conventional": gettext_noop("cutoff, without regard to bias"),
    "adjusted": gettext_noop("adjusting for prior scores without weights"),
}
GATES = {
    "registered": gettext_noop("Registered before outcomes were loaded"),
    "minimum_cell": gettext_noop("Enough people on both sides"),
    "clusters": gettext_noop("Enough schools"),
    "pre_trends": gettext_noop("No drift before taking part"),
    "sample": gettext_noop("Sample as the evidence standards ask"),
    "separates_from_zero": gettext_noop("Interval lies above zero"),
    "minimum_detectable_effect": gettext_noop("An effect that matters could be seen"),
    "sensitivity": gettext_noop("Stands some drift"),
    "baseline": gettext_noop("Alike before"),
    "baseline_equivalence": gettext_noop("Alike before"),
    "composition": gettext_noop("The same students as before"),
    "calibration": gettext_noop("Fake activities are not taken for real ones"),
    "placebo_calibration": gettext_noop("Fake activities are not taken for real ones"),
    "multiplicity": gettext_noop("Stands being one question of many"),
    "attrition": gettext_noop("Few have left"),
    "association": gettext_noop("More than an association"),
    "start_points": gettext_noop("Beginnings drawn by lot"),
    "brief": gettext_noop("All checks were made"),
    "density": gettext_noop("Nobody was moved over the cutoff"),
}


class Translate:
    """What pictures say through: `gettext`, and the forms of numbers."""

    def __call__(self, text: str) -> str:
        return _(text)

    def forms(self, one: str, many: str, number: int) -> str:
        return ngettext(one, many, number)


translate = Translate()


def sentence(kept: Mapping[str, Any], *, is_higher_better: bool = True) -> str:
    """One sentence of a study in the reader's language."""
    message, values = kept["message"], dict(kept["values"])
    template = MESSAGES[message]
    counting, one = ONE.get(message, ("", ""))
    if values.get(counting) == 1 and counting not in PEOPLE:
        return _without_small(ngettext(one, template, 1), values)
    if not is_higher_better:
        template = LOWER_IS_BETTER.get(message, template)
        if "direction" in values:
            values["direction"] = "lower" if values["direction"] == "higher" else "higher"
    said = _without_small(_(template), values)
    if message in REMARKED and not is_higher_better:
        said += " " + _("Lower is better here; a number above zero is one for the better.")
    return said


def _without_small(template: str, values: dict[str, Any]) -> str:
    """The sentence; one to four people become “fewer than 5”, and thousands are set apart."""
    for name in WHOLE.findall(template):
        is_few = values[name] is None or (name in PEOPLE and 0 < values[name] < SMALLEST)
        values[name] = _("fewer than %(count)d") % {"count": SMALLEST} if is_few else numbers.count(values[name])
    return MINUS.sub("−", WHOLE.sub(r"%(\1)s", template) % values)


def sentences(kept: Iterable[Mapping[str, Any]], *, is_higher_better: bool = True) -> str:
    return " ".join(sentence(each, is_higher_better=is_higher_better) for each in kept)


def tier(number: int) -> str:
    return _(TIERS[number][0])


def tier_tone(number: int) -> str:
    return TIERS[number][1]


def gate_name(name: str) -> str:
    return _(GATES[name]) if name in GATES else name


def signed(value: float | None, places: int = 2) -> str:
    """+0.12, −0.03; a real minus sign, and none before a zero."""
    if value is None:
        return "–"
    said = f"{value:+.{places}f}".replace("-", "−")
    return said if any(digit in said for digit in "123456789") else said[1:]


def interval(low: float | None, high: float | None) -> str:
    """“likely −0.03 to +0.21”."""
    if low is None or high is None:
        return _("no interval")
    return _("likely %(low)s to %(high)s") % {"low": signed(low), "high": signed(high)}


def count(number: float | None) -> str:
    """A number of people or of things that tells of people; nothing where it is kept back."""
    return _("not shown") if number is None else numbers.count(number)


def hours(number: float | None) -> str:
    return _("not shown") if number is None else numbers.decimal(number)


def dollars(cents: int | None) -> str:
    """$1,234.56, to the cent."""
    if cents is None:
        return _("not shown")
    whole, part = divmod(abs(cents), 100)
    return f"{'−' if cents < 0 else ''}${numbers.count(whole)}.{part:02d}"


def percent(share: float | None) -> str:
    return "" if share is None else _("%(percent)d %%") % {"percent": round(100 * share)}


def behind(size: Mapping[str, Any]) -> str:
    """How much stands behind a number: teachers and results."""
    return _("%(teachers)s teachers, %(results)s results") % {
        "teachers": count(size["teachers"]), "results": count(size["results"])}  # fmt: skip


def ingredient(kind: str, role: str) -> str:
    """What a line of costs is called: the time of a role, or the kind of ingredient."""
    if kind == Price.Kind.WAGE:
        name = str(Role(role).label) if role in Role.values else ""
        return _("Time: %(role)s") % {"role": name} if name else _("Time of people")
    return str(Price.Kind(kind).label).capitalize() if kind in Price.Kind.values else kind


def estimator(name: str) -> str:
    """How an estimate was made, in the field's terms."""
    return _(ESTIMATORS[name]) if name in ESTIMATORS else name.replace("_", " ")


def basis(n: Mapping[str, Any]) -> str:
    """How much an answer stands on, in a line; what is not shown is left out."""
    of = {
        name: n.get(name) or 0
        for name in ("treated_teachers", "comparison_teachers", "schools", "results", "students", "terms")
    }
    named = {
        "treated_teachers": ngettext(
            "%(count)s teacher who took part", "%(count)s teachers who took part", of["treated_teachers"]
        ),
        "comparison_teachers": _("%(count)s to compare with"),
        "schools": ngettext("%(count)s school", "%(count)s schools", of["schools"]),
        "results": ngettext("%(count)s result", "%(count)s results", of["results"]),
        "students": ngettext("%(count)s student", "%(count)s students", of["students"]),
        "terms": ngettext("%(count)s term", "%(count)s terms", of["terms"]),
    }
    return ", ".join(words % {"count": count(of[name])} for name, words in named.items() if of[name])


def cells_of(line: Mapping[str, Any]) -> list[str]:
    """SD, interval, teachers and results of a line of an answer. Without an interval there is no number (impact.md)."""
    effect, n = line.get("effect") or {}, line.get("n") or {}
    if line.get("hidden"):
        return [_("not shown")] * 4
    has_interval = all(effect.get(name) is not None for name in ("sd", "low", "high"))
    likely = f"{signed(effect['low'])} … {signed(effect['high'])}" if has_interval else _("none")
    return [signed(effect["sd"]) if has_interval else "–", likely, count(n.get("teachers")), count(n.get("results"))]


def since(event_time: int) -> str:
    """A term as seen from the first one of taking part."""
    if event_time == 0:
        return _("first term of taking part")
    if event_time > 0:
        return ngettext("%(count)d term later", "%(count)d terms later", event_time) % {"count": event_time}
    return ngettext("%(count)d term before", "%(count)d terms before", -event_time) % {"count": -event_time}
