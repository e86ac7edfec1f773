"""What people type about lessons, moments and clips."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staffroom.files.models import Upload
from staffroom.files.queries import uploads_for
from staffroom.frameworks import queries as frameworks
from staffroom.frameworks.models import Element
from staffroom.people import queries as people
from staffroom.people.models import Organization, Person, Section
from staffroom.permissions import queries as permissions
from staffroom.permissions.models import Share
from staffroom.seeing.lessons import queries, rules
from staffroom.seeing.lessons.clock import clock, milliseconds
from staffroom.seeing.lessons.models import Clip, Lesson, Moment

LOAN_DAYS = 14
KINDS = (
    (Moment.Kind.NOTE, _("Note")),
    (Moment.Kind.QUESTION, _("Question")),
    (Moment.Kind.SUGGESTION, _("Suggestion")),
    (Moment.Kind.STRENGTH, _("Strength")),
)


class ClockField(forms.CharField):
    """A time in a recording as people write it; its value is whole milliseconds, or None."""

    def __init__(self, **options: Any) -> None:
        attributes = {"inputmode": "decimal", "autocomplete": "off", "placeholder": "0:00", "size": "9"}
        super().__init__(max_length=14, widget=forms.TextInput(attrs=attributes), **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return milliseconds(text) if text else None

    def prepare_value(self, value: Any) -> Any:
        return clock(value, exact=True) if isinstance(value, int) else value


class ElementField(forms.TypedChoiceField):
    """An element of a published framework, in a select grouped by framework."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, empty_value=None, coerce=int, choices=[], **options)

    def offer(self, viewer: Person, kept: Element | None = None) -> None:
        """Fill the list for a viewer; an element of an older version that is already chosen stays choosable."""
        groups: list[Any] = [("", _("None")), *frameworks.element_choices_for(viewer)]
        offered = {pk for _title, options in groups[1:] for pk, _label in options}
        if kept is not None and kept.pk not in offered:
            groups.append((kept.pk, f"{kept} ({kept.version})"))
        self.choices = groups


def element_of(cleaned: dict[str, Any], name: str) -> Element | None:
    return Element.objects.filter(pk=cleaned[name]).first() if cleaned.get(name) else None


class LessonForm(forms.Form):
    """A lesson's title, section, day and focus."""

    title = forms.CharField(label=_("Title"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    section = forms.ModelChoiceField(
        label=_("Section"),
        queryset=Section.objects.none(),
        required=False,
        empty_label=_("No section of mine"),
        help_text=_("Whose families' answers decide how far a clip may go."),
    )
    taught_on = forms.DateField(label=_("Date"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    focus_element = ElementField(label=_("Focus"), help_text=_("What you want to look at, from a framework …"))
    focus = forms.CharField(label=_("Focus in your own words"), max_length=300, required=False)

    def __init__(self, *args: Any, by: Person, lesson: Lesson | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        section = self.fields["section"]
        assert isinstance(section, forms.ModelChoiceField)
        section.queryset = people.sections_of(by)
        if lesson is not None and lesson.section is not None:
            section.queryset = Section.objects.filter(pk=lesson.section.pk) | Section.objects.filter(
                pk__in=people.sections_of(by).order_by().values("pk")
            )
        focus_element = self.fields["focus_element"]
        assert isinstance(focus_element, ElementField)
        focus_element.offer(by, lesson.focus_element if lesson else None)

    def values(self) -> dict[str, Any]:
        """What the actions take."""
        names = ("title", "section", "taught_on", "focus")
        return {name: self.cleaned_data[name] for name in names} | {
            "focus_element": element_of(self.cleaned_data, "focus_element")
        }


class NewLessonForm(LessonForm):
    """The same, with the recording: a file, or an upload that has begun already."""

    upload = forms.UUIDField(required=False, widget=forms.HiddenInput)
    file = forms.FileField(label=_("Video or sound file"), widget=forms.FileInput(attrs={"accept": "video/*,audio/*"}))

    def __init__(self, *args: Any, by: Person, is_upload: bool, **options: Any) -> None:
        super().__init__(*args, by=by, **options)
        self.by, self.is_upload = by, is_upload
        self.fields["file"].required = is_upload

    def clean_upload(self) -> Upload | None:
        key = self.cleaned_data["upload"]
        return uploads_for(self.by).filter(key=key).first() if key else None

    def clean(self) -> dict[str, Any]:
        """An upload that is on its way stands for the file; a form sent without either asks for it."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("upload"):
            self.errors.pop("file", None)
        elif self.errors.get("file"):
            again = _("Choose the recording. If you had chosen one, choose it again: it goes on where it was.")
            self.errors["file"] = self.error_class([str(again)])
        return cleaned


class ReflectionForm(forms.Form):
    """What the owner saw herself."""

    reflection = forms.CharField(
        label=_("What did you see?"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 4})
    )


class CaptionsForm(forms.Form):
    """A file of captions."""

    file = forms.FileField(
        label=_("Captions as a WebVTT file"),
        help_text=_("A text that ends in .vtt. Many programs write one from a recording."),
        widget=forms.FileInput(attrs={"accept": ".vtt,text/vtt"}),
    )


class MomentForm(forms.Form):
    """A point or a range with a note."""

    start = ClockField(label=_("From"), error_messages={"required": _("Say when: for example 4:10.")})
    end = ClockField(label=_("To"), required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS, initial=Moment.Kind.NOTE)
    text = forms.CharField(
        label=_("What did you notice?"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write what you noticed.")},
    )
    element = ElementField(label=_("Tag"))

    def __init__(self, *args: Any, by: Person, kept: Element | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        element = self.fields["element"]
        assert isinstance(element, ElementField)
        element.offer(by, kept)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        start, end = cleaned.get("start"), cleaned.get("end")
        if start is not None and end is not None and end <= start:
            self.add_error("end", _("The end comes after the start. Leave it empty for a single moment."))
        return cleaned

    def values(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {
            "start_ms": cleaned["start"],
            "end_ms": cleaned["end"],
            "kind": cleaned["kind"],
            "text": cleaned["text"],
            "element": element_of(cleaned, "element"),
        }


class ClipForm(forms.Form):
    """A range of one's own lesson, to be lent."""

    start = ClockField(label=_("From"))
    end = ClockField(label=_("To"))
    title = forms.CharField(label=_("Title"), max_length=200)
    question = forms.CharField(
        label=_("What should colleagues look for?"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    has_moments = forms.BooleanField(label=_("My own notes in this range go along"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        start, end = cleaned.get("start"), cleaned.get("end")
        if start is not None and end is not None and end - start < 1000:
            self.add_error("end", _("A clip lasts at least one second: its end comes after its start."))
        return cleaned

    def values(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {
            "start_ms": cleaned["start"],
            "end_ms": cleaned["end"],
            "title": cleaned["title"],
            "question": cleaned["question"],
            "has_moments": cleaned["has_moments"],
        }


class ShareForm(forms.Form):
    """With whom, until when, and how a clip is lent."""

    target = forms.ChoiceField(
        label=_("Share with"),
        help_text=_(
            "A person or a circle hears of it. A whole school or district finds it under “Shared with me”; nobody is written to."
        ),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose with whom to share.")},
    )
    until = forms.DateField(
        label=_("Until the end of"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    is_reflect_first = forms.BooleanField(
        label=_("I reflect first"),
        required=False,
        help_text=_("Colleagues' notes stay closed to you until you have written what you saw yourself."),
    )
    may_download = forms.BooleanField(label=_("They may download the clip"), required=False)

    def __init__(self, *args: Any, by: Person, clip: Clip, search: str = "", **options: Any) -> None:
        options.setdefault("initial", {"until": timezone.localdate() + timedelta(days=LOAN_DAYS)})
        super().__init__(*args, **options)
        self.by, self.clip = by, clip
        chosen = str(self.data.get("target", "")) if self.is_bound else ""
        target = self.fields["target"]
        assert isinstance(target, forms.ChoiceField)
        target.choices = targets_for(by, clip, search, chosen)
        if not permissions.policy_of(people.district_of(by))["may_download"]:
            del self.fields["may_download"]

    def values(self) -> dict[str, Any]:
        """What ``share_clip`` takes; the loan ends with the chosen day."""
        end = datetime.combine(self.cleaned_data["until"], time(23, 59, 59))
        kind, _colon, key = self.cleaned_data["target"].partition(":")
        return {
            **_target(self.by, kind, int(key)),
            "until": timezone.make_aware(end),
            "is_reflect_first": self.cleaned_data["is_reflect_first"],
            "may_download": self.cleaned_data.get("may_download", False),
        }


def _target(by: Person, kind: str, pk: int) -> dict[str, Any]:
    if kind == "person":
        return {"audience": Share.Audience.PERSON, "person": people.colleagues_for(by).filter(pk=pk).first()}
    if kind == "circle":
        return {"audience": Share.Audience.CIRCLE, "circle": permissions.circles_for(by).filter(pk=pk).first()}
    if kind == "public":
        return {"audience": Share.Audience.PUBLIC}
    place = Organization.objects.get(pk=pk)
    return {"audience": Share.Audience(place.kind), "organization": place}


FOUND = 12


def targets_for(by: Person, clip: Clip, search: str, chosen: str) -> list[Any]:
    """Whom a clip can be lent to, in groups: coaches first, then colleagues found, circles, the school and the district."""
    coaches = list(queries.coaches_of(by)[:FOUND])
    found = list(people.colleagues_for(by, search)[:FOUND]) if search.strip() else []
    kind, _colon, key = chosen.partition(":")
    if kind == "person" and key.isdecimal():
        found += list(people.colleagues_for(by).filter(pk=int(key)))
    colleagues = {each.pk: each for each in found if each not in coaches}
    groups = [
        (_("Your coaches"), [(f"person:{each.pk}", _person_label(each, clip)) for each in coaches]),
        (_("Colleagues"), [(f"person:{pk}", _person_label(each, clip)) for pk, each in colleagues.items()]),
        (_("Circles"), [(f"circle:{each.pk}", str(each)) for each in permissions.circles_for(by)]),
        (
            _("Everybody at"),
            [(f"organization:{each.pk}", _place_label(each, clip)) for each in queries.schools_to_share_with(by)],
        ),
        (_("Everyone"), [("public:0", _("Everybody who signs in to this site"))] if may_be_public(by, clip) else []),
    ]
    return [(title, options) for title, options in groups if options]


def may_be_public(by: Person, clip: Clip) -> bool:
    """Everyone can be offered a clip where the district's policy lets things leave it and every family has said yes."""
    policy = permissions.policy_of(people.district_of(by))
    return bool(policy["may_share_outside_district"]) and rules.may_leave_school(clip.lesson)


def _place_label(place: Organization, clip: Clip) -> str:
    is_inside = rules.is_audience_inside(clip.lesson, place.kind, place)
    return str(place) if is_inside else f"{place} – {_('outside the school')}"


def _person_label(person: Person, clip: Clip) -> str:
    roles = ", ".join(str(held.get_role_display()) for held in people.memberships_of(person))
    outside = "" if rules.is_inside(person, clip.lesson) else f" – {_('outside the school')}"
    return f"{person.full_name} ({roles}){outside}" if roles else f"{person.full_name}{outside}"
