"""What administrators type about tools and keys."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.exchange import outside, queries, scopes, whose
from staffroom.exchange.actions import mappings
from staffroom.exchange.models import Destination, Mapping
from staffroom.people.models import Organization, Person
from staffroom.permissions.models import Tool
from staffroom.records.models import Activity
from staffroom.records.vocabulary import COMPLETING, verb_label


class ToolWordsForm(forms.Form):
    """What a program is called, and what is to be known about it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    note = forms.CharField(
        label=gettext_lazy("Note"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Whose it is, and whom to ask about it."),
    )  # fmt: skip

    def __init__(self, *args: Any, tool: Tool | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.tool = tool

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        place, name = self.tool.organization if self.tool else cleaned.get("organization"), cleaned.get("name")
        others = Tool.objects.exclude(pk=self.tool.pk if self.tool else 0)
        if place and name and others.filter(organization=place, name=name).exists():
            self.add_error("name", _("%(place)s has a tool of this name already.") % {"place": place})
        return cleaned


class ToolForm(ToolWordsForm):
    """A program that is to be let in."""

    organization = forms.ModelChoiceField(
        label=gettext_lazy("For whom"), queryset=queries.places_for(None), empty_label=None,
        help_text=gettext_lazy("What it writes lands in the ledger of this place. It reads nothing from beside or above it."),
    )  # fmt: skip
    field_order = ("organization", "name", "note")

    def __init__(self, *args: Any, viewer: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["organization"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = queries.places_for(viewer)


class KeyForm(forms.Form):
    """What a new key is to allow."""

    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What the tool may do with it"),
        choices=lambda: [(word, f"{capfirst(str(meaning))} ({word})") for word, meaning in scopes.MEANINGS.items()],
        widget=forms.CheckboxSelectMultiple,
        initial=[*scopes.DEFAULT.split(), scopes.DEFINE],
        help_text=gettext_lazy(
            "As little as it needs. The words in brackets are those of xAPI, which its makers know."
        ),
        error_messages={"required": gettext_lazy("Choose at least one thing that the key may do.")},
    )


class MappingForm(forms.Form):
    """Which activity a course elsewhere counts as, and where its hours come from."""

    iri = forms.CharField(
        label=gettext_lazy("Address of the course"), max_length=1000,
        help_text=gettext_lazy("As the program writes it. Entries about it, and about what is part of it, count."),
    )  # fmt: skip
    is_prefix = forms.BooleanField(label=gettext_lazy("Also every address that begins with it"), required=False)
    tool = forms.ModelChoiceField(
        label=gettext_lazy("Written by"),
        queryset=Tool.objects.none(),
        required=False,
        empty_label=gettext_lazy("any tool"),
    )
    activity = forms.ModelChoiceField(
        label=gettext_lazy("Counts as"), queryset=Activity.objects.none(), required=False,
        empty_label=gettext_lazy("a new activity"),
    )  # fmt: skip
    new_name = forms.CharField(label=gettext_lazy("Name of the new activity"), max_length=200, required=False)
    hours = forms.ChoiceField(
        label=gettext_lazy("Where the hours come from"), choices=Mapping.Hours.choices, widget=forms.RadioSelect,
        initial=Mapping.Hours.TOLD,
    )  # fmt: skip
    verbs = forms.MultipleChoiceField(
        label=gettext_lazy("Only what is told with these words"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("For told time: whose durations count; none ticked: all. For fixed minutes: what completes."),
    )  # fmt: skip
    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes for each thing completed"), required=False, min_value=1, max_value=60_000
    )
    pause_minutes = forms.IntegerField(
        label=gettext_lazy("A sitting ends after a pause of (minutes)"),
        required=False,
        min_value=1,
        max_value=1440,
        initial=30,
    )
    least_minutes = forms.IntegerField(
        label=gettext_lazy("A sitting counts at least (minutes)"), required=False, min_value=0, max_value=600, initial=5
    )
    most_minutes = forms.IntegerField(
        label=gettext_lazy("Of a day at most (minutes)"), required=False, min_value=1, max_value=60_000
    )

    def __init__(
        self, *args: Any, tenant: Organization, seen_verbs: set[str], mapping: Mapping | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.tenant, self.mapping = tenant, mapping
        for name, found in (("tool", whose.tools_within(tenant)), ("activity", whose.activities_within(tenant))):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = found
        known = {*(verb.iri for verb in COMPLETING), *seen_verbs, *(mapping.verbs if mapping else ())}
        verbs = self.fields["verbs"]
        assert isinstance(verbs, forms.MultipleChoiceField)
        verbs.choices = sorted(((iri, verb_label(iri)) for iri in known), key=lambda each: (each[1], each[0]))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("activity") and not cleaned.get("new_name", "").strip():
            self.add_error("new_name", _("Choose an activity, or name a new one."))
        if not self.errors:
            try:
                mappings.check_hours(self.draft())
            except ValidationError as problem:
                self.add_error(None, problem)
        return cleaned

    def draft(self) -> Mapping:
        """The mapping as typed, not saved: to be looked at before."""
        return Mapping(pk=self.mapping.pk if self.mapping else None, tenant=self.tenant, **self.said())

    def said(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in mappings.FIELDS if name != "activity"} | (
            {"activity": self.cleaned_data["activity"]} if self.cleaned_data["activity"] else {}
        )


class ClaimForm(forms.Form):
    """Whom an agent is."""

    person = forms.ModelChoiceField(
        label=gettext_lazy("Who it is"), queryset=Person.objects.none(), to_field_name="key", widget=forms.RadioSelect,
        empty_label=None, error_messages={"required": gettext_lazy("Choose somebody.")},
    )  # fmt: skip

    def __init__(self, *args: Any, people: list[Person], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["person"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Person.objects.filter(pk__in=[each.pk for each in people])
        field.label_from_instance = lambda obj: f"{obj} · {obj.email}" if obj.email else str(obj)  # type: ignore[method-assign]


class DestinationForm(forms.Form):
    """Another record store: where it is, how it knows us, and what it gets."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    url = forms.CharField(
        label=gettext_lazy("Endpoint"), max_length=500,
        help_text=gettext_lazy("As its makers give it, such as https://lrs.example/xapi."),
    )  # fmt: skip
    key_name = forms.CharField(label=gettext_lazy("Key"), max_length=255)
    secret = forms.CharField(
        label=gettext_lazy("Secret"), max_length=1000, strip=False, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Kept encrypted, and never shown again."),
    )  # fmt: skip
    major = forms.TypedChoiceField(
        label=gettext_lazy("Version of xAPI"), choices=[(1, "1.0.3"), (2, "2.0")], coerce=int, initial=1
    )
    has_tools = forms.BooleanField(
        label=gettext_lazy("What other programs wrote"), required=False, initial=True,
        help_text=gettext_lazy("Never what tells of students."),
    )  # fmt: skip
    tools = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only of these programs"), queryset=Tool.objects.none(), required=False,
        widget=forms.CheckboxSelectMultiple, help_text=gettext_lazy("None ticked: all of them."),
    )  # fmt: skip
    has_own = forms.BooleanField(
        label=gettext_lazy("What Staffroom wrote about activities"), required=False,
        help_text=gettext_lazy("Attendance, coaching. What people did on their own never leaves."),
    )  # fmt: skip
    activities = forms.CharField(
        label=gettext_lazy("Only about these addresses"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One a line; what lies below an address goes with it. Empty: about anything."),
    )  # fmt: skip
    verbs = forms.CharField(
        label=gettext_lazy("Only with these verbs"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Addresses of verbs, one a line. Empty: with any."),
    )  # fmt: skip
    knows_people = forms.BooleanField(
        label=gettext_lazy("It may know people by email address and name"), required=False,
        help_text=gettext_lazy("Otherwise it gets a key for each person that means nothing outside of this site."),
    )  # fmt: skip
    is_from_now = forms.BooleanField(
        label=gettext_lazy("Only what is written from now on"), required=False,
        help_text=gettext_lazy("Otherwise also everything that is in the ledger already."),
    )  # fmt: skip

    def __init__(
        self, *args: Any, tenant: Organization, destination: Destination | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        tools = self.fields["tools"]
        assert isinstance(tools, forms.ModelMultipleChoiceField)
        tools.queryset = whose.tools_within(tenant)
        self.is_new = destination is None
        self.fields["secret"].required = self.is_new
        self.fields["secret"].error_messages["required"] = _("It does not let us in without.")
        if destination:
            del self.fields["is_from_now"]
            self.fields["secret"].help_text = _("Empty: the one that is known. Kept encrypted, and never shown again.")

    def clean_url(self) -> str:
        url = self.cleaned_data["url"].strip().rstrip("/").removesuffix("/statements")
        try:
            outside.addresses_of(outside.check(url))
        except outside.NotAllowed as error:
            raise ValidationError(str(error)) from error
        except outside.Unreachable:
            pass  # it may come: the page of the destination says so until then
        return str(url)

    def clean_activities(self) -> list[str]:
        return _lines(self.cleaned_data["activities"])

    def clean_verbs(self) -> list[str]:
        return _lines(self.cleaned_data["verbs"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not (cleaned.get("has_tools") or cleaned.get("has_own")):
            self.add_error("has_tools", _("Choose at least one kind of entry."))
        return cleaned


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()][:100]
