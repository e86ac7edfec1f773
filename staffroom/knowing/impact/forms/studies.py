"""What people type about studies: the question with its decision, what changed, and how it ended."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.knowing.impact import queries
from staffroom.knowing.impact.asking import EARLIER
from staffroom.knowing.impact.forms.cutoffs import NAMES, RuleForm, rule_as_typed
from staffroom.knowing.impact.forms.lotteries import Day, Many, choose_from
from staffroom.knowing.impact.models import Study
from staffroom.people.models import Organization, Person
from staffroom.records.models import Activity, Instrument

SMALLEST, LARGEST = 0.01, 2.0


class StudyForm(RuleForm):
    """A question with a decision, before it is registered."""

    field_order = (
        "organization", "name", "decision", "activities", "planned_share", "rule", "rule_instrument", "school_numbers", "cutoff",
        "offered", "instrument", "outcomes_from", "outcomes_until", "schools", "smallest_effect", "groups", "by_earlier_results",
        "estimator", "controls",
    )  # fmt: skip

    organization = forms.ModelChoiceField(
        label=gettext_lazy("Who asks"), queryset=Organization.objects.none(), empty_label=None
    )
    name = forms.CharField(
        label=gettext_lazy("Question"), max_length=200,
        help_text=gettext_lazy("One question: “Do students of coached teachers learn more mathematics?”"),
    )  # fmt: skip
    decision = forms.CharField(
        label=gettext_lazy("Decision that hangs on it"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "What will you do if it works, and what if it does not? “Coaching for all schools from fall on; else the money goes to "
            "tutoring.”"
        ),
    )  # fmt: skip
    activities = Many(
        label=gettext_lazy("Which activity"), queryset=Activity.objects.none(), widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Several count as one: who took part in any of them took part."),
    )  # fmt: skip
    instrument = forms.ModelChoiceField(
        label=gettext_lazy("Measured by"), queryset=Instrument.objects.none(), empty_label=gettext_lazy("Choose a test, rubric or survey"),
    )  # fmt: skip
    outcomes_from = Day(
        label=gettext_lazy("Results from"),
        help_text=gettext_lazy("The first day of the time that the answer is about. Earlier results are what it compares with."),
    )  # fmt: skip
    outcomes_until = Day(label=gettext_lazy("Results until"))
    schools = Many(
        label=gettext_lazy("Only teachers at"), queryset=Organization.objects.none(), required=False,
        widget=forms.CheckboxSelectMultiple, help_text=gettext_lazy("None chosen: all schools."),
    )  # fmt: skip
    smallest_effect = forms.FloatField(
        label=gettext_lazy("Smallest effect that would matter, in SD"), min_value=SMALLEST, max_value=LARGEST, initial=0.10,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
        help_text=gettext_lazy("0.10 is about a fifth of what a fifth-grader gains in mathematics in a year. Below it you would not pay."),
    )  # fmt: skip
    groups = forms.CharField(
        label=gettext_lazy("Groups of schools for whom it may differ"), required=False, max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": gettext_lazy("Title I: Alder Elementary, Birch Elementary")}),
        help_text=gettext_lazy("A line each: a name, a colon, and schools. Only groups named beforehand are looked at."),
    )  # fmt: skip
    by_earlier_results = forms.BooleanField(
        label=gettext_lazy("Also by how their students scored before (lower and upper half)"), required=False
    )
    planned_share = forms.IntegerField(
        label=gettext_lazy("How many of a hundred teachers are meant to take part"), min_value=1, max_value=100, required=False,
        help_text=gettext_lazy("Leave it empty where enough have begun or signed up: then those are counted."),
    )  # fmt: skip
    estimator = forms.ChoiceField(
        label=gettext_lazy("How it is estimated"), required=False, choices=Study.Estimator.choices,
        help_text=gettext_lazy(
            "The data decide, in this order: a lottery, a cutoff, each teacher before and after, students' scores from before, hours."
        ),
    )  # fmt: skip
    controls = forms.ChoiceField(
        label=gettext_lazy("Compared with"), choices=Study.Controls.choices, initial=Study.Controls.NOT_YET
    )

    def __init__(self, *args: Any, viewer: Person, study: Study | None = None, **options: Any) -> None:
        if study is not None:
            options["initial"] = _initial(study)
        super().__init__(*args, **options)
        choose_from(self, "organization", queries.places_for_studies(viewer))
        choose_from(self, "activities", queries.activities_for_studies(viewer))
        choose_from(self, "instrument", queries.instruments_for_studies(viewer))
        choose_from(self, "rule_instrument", queries.instruments_for_studies(viewer))
        self._list_instruments_once(viewer)
        self.study_place = study.organization if study else None
        schools = queries.places_for_studies(viewer).filter(kind=Organization.Kind.SCHOOL).order_by("name", "pk")
        choose_from(self, "schools", schools)
        if study is not None:
            del self.fields["organization"]
        if study is not None and study.lottery_id:
            # There chance decided, and no number.
            for name in NAMES:
                del self.fields[name]

    def _list_instruments_once(self, viewer: Person) -> None:
        """Both fields choose among the same instruments."""
        listed = [(each.pk, str(each)) for each in queries.instruments_for_studies(viewer)]
        for name in ("instrument", "rule_instrument"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.choices = [("", field.empty_label), *listed]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        begins, ends = cleaned.get("outcomes_from"), cleaned.get("outcomes_until")
        if begins and ends and ends < begins:
            self.add_error("outcomes_until", _("It ends after it begins."))
        place = self.study_place or cleaned.get("organization")
        if "rule" in self.fields:
            self.check_rule(cleaned, place)
        if place is not None:
            self._check_places(cleaned, place)
        return cleaned

    def _check_places(self, cleaned: dict[str, Any], place: Organization) -> None:
        outside = [each.name for each in cleaned.get("schools") or [] if not each.path.startswith(place.path)]
        if outside:
            self.add_error("schools", _("Not in %(place)s: %(names)s") % {"place": place, "names": ", ".join(outside)})
        if "groups" in cleaned:
            cleaned["subgroups"] = self._subgroups(cleaned, place)

    def _subgroups(self, cleaned: dict[str, Any], place: Organization) -> dict[str, Any]:
        known = {each.name.lower(): each for each in queries.schools_below(place)}
        groups: dict[str, list[dict[str, str]]] = {}
        seen: set[str] = set()
        for line in cleaned["groups"].splitlines():
            label, _colon, names = (part.strip() for part in line.partition(":"))
            wanted = [name.strip() for name in names.split(",") if name.strip()]
            if not line.strip():
                continue
            unknown = [name for name in wanted if name.lower() not in known or name.lower() in seen]
            if not label or not wanted or unknown:
                what = ", ".join(unknown)[:200] or line[:80]
                self.add_error("groups", _("Not a school there, or in two groups: %(names)s") % {"names": what})
                return {}
            seen |= {name.lower() for name in wanted}
            found = [known[name.lower()] for name in wanted]
            groups[label[:80]] = [{"key": str(each.key), "name": each.name} for each in found]
        subgroups: dict[str, Any] = {"schools": groups} if groups else {}
        return {**subgroups, EARLIER: True} if cleaned.get(EARLIER) else subgroups

    @property
    def fields_of_study(self) -> dict[str, Any]:
        """The arguments of the deed, of a form that is valid."""
        names = (
            "name", "decision", "activities", "instrument", "schools", "outcomes_from", "outcomes_until", "smallest_effect",
            "estimator", "controls", "subgroups", "planned_share", *(NAMES if "rule" in self.fields else ()),
        )  # fmt: skip
        return {name: self.cleaned_data[name] for name in names}


def _initial(study: Study) -> dict[str, Any]:
    groups = study.subgroups.get("schools") or {}
    names = (
        "name",
        "decision",
        "instrument",
        "outcomes_from",
        "outcomes_until",
        "smallest_effect",
        "estimator",
        "controls",
        "planned_share",
    )
    return {
        **{name: getattr(study, name) for name in names},
        **rule_as_typed(study),
        "activities": list(study.activities.all()), "schools": list(study.schools.all()),
        "groups": "\n".join(f"{label}: {', '.join(each['name'] for each in schools)}" for label, schools in groups.items()),
        EARLIER: bool(study.subgroups.get(EARLIER)),
    }  # fmt: skip


class RegisterForm(forms.Form):
    """What changed since the version before, and why; of the first version nothing."""

    reason = forms.CharField(
        label=gettext_lazy("What changed, and why"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, is_first: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if is_first:
            del self.fields["reason"]


class CloseForm(forms.Form):
    """How a study ended."""

    end = forms.ChoiceField(label=gettext_lazy("It is"), choices=Study.End.choices)
    decision_taken = forms.CharField(
        label=gettext_lazy("The decision that was taken, or why it is withdrawn"), max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
