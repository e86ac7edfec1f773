"""What people type about a rule with a cutoff: by which number it was decided to whom the activity is offered, and where it lies."""

from __future__ import annotations

import math
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.knowing.impact import queries
from staffroom.knowing.impact.models import Study
from staffroom.people.models import Organization
from staffroom.records.models import Instrument

MOST = 1e9
"""Beyond this no result, percentage or head count lies."""
NAMES = ("rule", "rule_instrument", "cutoff", "offered", "school_numbers")


class RuleForm(forms.Form):
    """The part of a study's form about a cutoff. Without a rule the other fields count for nothing."""

    rule = forms.ChoiceField(
        label=gettext_lazy("Who takes part was decided by"), choices=Study.Rule.choices, required=False,
        help_text=gettext_lazy("Where a number decided, those just on one side can be compared with those just on the other."),
    )  # fmt: skip
    rule_instrument = forms.ModelChoiceField(
        label=gettext_lazy("The number is a result of"), queryset=Instrument.objects.none(), required=False,
        empty_label=gettext_lazy("Choose a test, rubric or survey"),
        help_text=gettext_lazy("Taken from the last term before the time asked about that has results of it."),
    )  # fmt: skip
    school_numbers = forms.CharField(
        label=gettext_lazy("The number of each school"), required=False, max_length=40_000,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": gettext_lazy("Alder Elementary, 61.5")}),
        help_text=gettext_lazy("A line each: the school, a comma, and its number."),
    )  # fmt: skip
    cutoff = forms.FloatField(
        label=gettext_lazy("Cutoff"), min_value=-MOST, max_value=MOST, required=False,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip
    offered = forms.ChoiceField(
        label=gettext_lazy("Offered to those"), choices=Study.Side.choices, initial=Study.Side.ABOVE, required=False
    )

    @property
    def parts(self) -> dict[str, list[forms.BoundField]]:
        """The fields as a page shows them: those before the rule, the rule's own, those after it."""
        found: dict[str, list[forms.BoundField]] = {"before": [], "rule": [], "after": []}
        for field in self:
            place = (
                "rule" if field.name in NAMES else "after" if found["rule"] or field.name == "instrument" else "before"
            )
            found["after" if place == "before" and found["after"] else place].append(field)
        return found

    @property
    def has_rule(self) -> bool:
        """Whether a rule is typed or told, or something is wrong with it."""
        return "rule" in self.fields and bool(self["rule"].value() or set(NAMES) & set(self.errors))

    def check_rule(self, cleaned: dict[str, Any], place: Organization | None) -> None:
        """Refuse half a rule; empty what a rule does not need."""
        rule = cleaned.get("rule") or ""
        cleaned["offered"] = cleaned.get("offered") or Study.Side.ABOVE
        by_school = rule == Study.Rule.SCHOOLS
        if rule and cleaned.get("cutoff") is None and "cutoff" not in self.errors:
            self.add_error("cutoff", _("Where does the cutoff lie?"))
        if rule and not by_school and cleaned.get("rule_instrument") is None and "rule_instrument" not in self.errors:
            self.add_error("rule_instrument", _("Which results decided?"))
        if not rule:
            cleaned |= {"cutoff": None, "offered": Study.Side.ABOVE}
        if not rule or by_school:
            cleaned["rule_instrument"] = None
        typed = cleaned.get("school_numbers") or ""
        cleaned["school_numbers"] = self._numbers(typed, place) if by_school and place is not None else []

    def _numbers(self, typed: str, place: Organization) -> list[dict[str, Any]]:
        known = {each.name.casefold(): each for each in queries.schools_below(place)}
        found: dict[str, dict[str, Any]] = {}
        wrong: list[str] = []
        for line in typed.splitlines():
            name, _comma, number = (part.strip(' \t"') for part in line.rpartition(","))
            school, value = known.get(name.casefold()), _number(number)
            if not line.strip():
                continue
            if school is None or value is None or str(school.key) in found:
                wrong.append(line.strip()[:80])
                continue
            found[str(school.key)] = {"key": str(school.key), "name": school.name, "number": value}
        if wrong:
            said = _("Not a school there with a number, or named twice: %(lines)s")
            self.add_error("school_numbers", said % {"lines": "; ".join(wrong[:5])})
        elif len(found) < 2:
            self.add_error("school_numbers", _("Name the schools with their numbers, a line each."))
        return sorted(found.values(), key=lambda each: str(each["key"]))


def rule_as_typed(study: Study) -> dict[str, Any]:
    """What stands in the fields of a study that is changed."""
    lines = [
        f"{each['name']}, {each['number']:g}"
        for each in sorted(study.school_numbers, key=lambda each: str(each["name"]))
    ]
    cutoff = "" if study.cutoff is None else f"{study.cutoff:.12g}"
    return {
        "rule": study.rule, "rule_instrument": study.rule_instrument, "cutoff": cutoff, "offered": study.offered,
        "school_numbers": "\n".join(lines),
    }  # fmt: skip


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= MOST else None
