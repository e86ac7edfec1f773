"""What people type about growth: a goal, where one stands, who may see it, what an activity is there for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.frameworks.models import Element
from staffroom.frameworks.queries import element_choices_for, elements_for
from staffroom.knowing.impact.models import Aim, Standing
from staffroom.people.models import Person
from staffroom.records.models import Activity
from staffroom.seeing.lessons.queries import coaches_of


class ElementField(forms.TypedChoiceField):
    """One practice of the frameworks that somebody may read."""

    def __init__(self, **options: Any) -> None:
        super().__init__(coerce=int, **options)


class GoalForm(forms.Form):
    """A practice to set out for."""

    element = ElementField(label=gettext_lazy("Practice"))
    why = forms.CharField(
        label=gettext_lazy("Why this one (only you see it)"), required=False, max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(self, *args: Any, viewer: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        self.viewer = viewer
        field = self.fields["element"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose a practice")), *element_choices_for(viewer)]

    def clean_element(self) -> Element:
        found = elements_for(self.viewer).filter(pk=self.cleaned_data["element"]).first()
        if found is None:
            raise forms.ValidationError(_("Choose a practice of the list."))
        return found


class StandingForm(forms.Form):
    """Where somebody stands in one practice."""

    level = forms.TypedChoiceField(
        label=gettext_lazy("Students would say that this happens"), coerce=int, choices=Standing.Level.choices,
        widget=forms.RadioSelect,
    )  # fmt: skip


class CoachForm(forms.Form):
    """Which coach may see a goal."""

    coach = forms.ModelChoiceField(
        label=gettext_lazy("A coach who may see this goal and say where you stand"), queryset=Person.objects.none(),
        required=False, to_field_name="key", empty_label=gettext_lazy("nobody"),
    )  # fmt: skip

    def __init__(self, *args: Any, teacher: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["coach"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = coaches_of(teacher)

    def clean(self) -> dict[str, Any]:
        # "Nobody" is an answer; a body without any is none.
        if "coach" not in self.data:
            self.add_error("coach", _("Choose a coach, or nobody."))
        return self.cleaned_data


class AimsForm(forms.Form):
    """Which practices an activity is there for."""

    # A form in which nothing is ticked sends nothing else.
    is_said = forms.CharField(widget=forms.HiddenInput, initial="1")
    elements = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Practices"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, viewer: Person, activity: Activity, **options: Any) -> None:
        super().__init__(*args, **options)
        known = Aim.objects.filter(activity=activity).values_list("element_id", flat=True)
        self.fields["elements"].initial = list(known)
        self.viewer = viewer
        field = self.fields["elements"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = element_choices_for(viewer)

    def chosen(self) -> list[Element]:
        return list(elements_for(self.viewer).filter(pk__in=self.cleaned_data["elements"]))
