"""What people type about activities, attendance, instruments, prices, ingredients and results files."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.people.models import Organization, Person, Role, Term
from staffroom.records import queries, resolving
from staffroom.records.models import Activity, ColumnMapping, Instrument, Price, PriceIndex, ScalesWith
from staffroom.records.vocabulary import VERBS

MOST_FILE_BYTES = 60 * 1024 * 1024


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class ActivityForm(forms.ModelForm[Activity]):
    """A professional-learning activity."""

    class Meta:
        model = Activity
        fields = ["organization", "name", "kind", "description", "planned_hours", "begins_on", "ends_on"]
        labels = {
            "organization": gettext_lazy("For whom"), "planned_hours": gettext_lazy("Planned hours for each person"),
            "begins_on": gettext_lazy("Begins"), "ends_on": gettext_lazy("Ends"),
        }  # fmt: skip
        widgets = {"begins_on": DateInput(), "ends_on": DateInput(), "description": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, viewer: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            del self.fields["organization"]
        else:
            _choose_place(self, queries.places_entered_by(viewer))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        begins, ends = cleaned.get("begins_on"), cleaned.get("ends_on")
        if begins and ends and ends < begins:
            self.add_error("ends_on", _("An activity ends after it begins."))
        hours = cleaned.get("planned_hours")
        if hours is not None and hours < 0:
            self.add_error("planned_hours", _("Hours are not negative."))
        return cleaned


def _choose_place(form: forms.BaseForm, places: QuerySet[Organization]) -> None:
    field = form.fields["organization"]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = places
    field.empty_label = None


class PeopleField(forms.ModelMultipleChoiceField[Person]):
    """Several people. A number that no row can have is refused, not asked for: the database would not take it."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError:
            raise forms.ValidationError(_("Choose people of the list.")) from None


class AttendanceForm(forms.Form):
    """Who of one school took part on a day, and for how long."""

    day = forms.DateField(label=gettext_lazy("Day"), widget=DateInput(), initial=timezone.localdate)
    hours = forms.DecimalField(label=gettext_lazy("Hours"), min_value=Decimal("0.05"), max_value=24, decimal_places=2)
    people = PeopleField(
        label=gettext_lazy("Who took part"), queryset=Person.objects.none(), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, people: QuerySet[Person], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["people"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = people

    def clean_day(self) -> Any:
        day = self.cleaned_data["day"]
        if day > timezone.localdate():
            raise forms.ValidationError(_("Attendance is entered when it has been, not before."))
        return day


class FileForm(forms.Form):
    """A file with a table in it."""

    file = forms.FileField(
        label=gettext_lazy("File"), help_text=gettext_lazy("A CSV file whose first line names the columns."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
    )  # fmt: skip

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_FILE_BYTES:
            raise forms.ValidationError(_("The file is too large: at most 60 MB."))
        return file


class ResultsFileForm(FileForm):
    """A results file and whose it is."""

    organization = forms.ModelChoiceField(label=gettext_lazy("Results of"), queryset=Organization.objects.none())
    field_order = ["file", "organization"]

    def __init__(self, *args: Any, viewer: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        _choose_place(self, queries.places_kept_by(viewer))


SUBJECTS = [
    ("student", gettext_lazy("students")), ("teacher", gettext_lazy("teachers")), ("section", gettext_lazy("sections")),
    ("school", gettext_lazy("schools")),
]  # fmt: skip
MEANINGS: dict[str, Any] = {
    "student": gettext_lazy("Column with the student"), "teacher": gettext_lazy("Column with the teacher"),
    "section": gettext_lazy("Column with the section"), "school": gettext_lazy("Column with the school"),
    "value": gettext_lazy("Column with the result"), "term": gettext_lazy("Column with the term"),
    "observed_on": gettext_lazy("Column with the date"),
}  # fmt: skip


class MappingForm(forms.Form):
    """What the columns of a results file mean."""

    instrument = forms.ModelChoiceField(
        label=gettext_lazy("Results of which instrument"), queryset=Instrument.objects.none()
    )
    subject = forms.ChoiceField(label=gettext_lazy("These are results of"), choices=SUBJECTS)
    whole_term = forms.ModelChoiceField(
        label=gettext_lazy("Term of the whole file"), queryset=Term.objects.none(), required=False,
        help_text=gettext_lazy("Only when no column names the term."),
    )  # fmt: skip
    keep_as = forms.CharField(
        label=gettext_lazy("Keep this mapping as"), required=False, max_length=120,
        help_text=gettext_lazy("A name, so that next term's file needs no second thought."),
    )  # fmt: skip

    def __init__(
        self, *args: Any, viewer: Person, organization: Organization, columns: list[str], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        both = queries.instruments_for(viewer) | queries.instruments_for(viewer, evaluation=True)
        _limit(self, "instrument", both.filter(organization__in=organization.ancestor_pks))
        _limit(
            self, "whole_term", Term.objects.filter(organization__in=organization.ancestor_pks).order_by("-begins_on")
        )
        choices = [("", _("— not in this file —")), *((name, name) for name in columns if name)]
        for meaning, label in MEANINGS.items():
            self.fields[meaning] = forms.ChoiceField(label=label, choices=choices, required=False)
        self.order_fields(["instrument", "subject", *MEANINGS, "whole_term", "keep_as"])

    def mapping(self) -> resolving.ColumnsMapping:
        """The mapping that was chosen."""
        chosen, term = self.cleaned_data, self.cleaned_data.get("whole_term")
        columns = {meaning: chosen[meaning] for meaning in MEANINGS if chosen.get(meaning)}
        return resolving.ColumnsMapping(chosen["subject"], columns, term.pk if term and "term" not in columns else None)


def _limit(form: forms.Form, name: str, choices: QuerySet[Any]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = choices


def initial_of(mapping: resolving.ColumnsMapping, instrument: Instrument | None) -> dict[str, Any]:
    """What a mapping form begins with."""
    return {"instrument": instrument, "subject": mapping.subject, "whole_term": mapping.term_id, **mapping.columns}


class InstrumentForm(forms.ModelForm[Instrument]):
    """A test, rubric or survey."""

    class Meta:
        model = Instrument
        fields = [
            "organization",
            "name",
            "kind",
            "subject",
            "scale_low",
            "scale_high",
            "is_higher_better",
            "is_evaluation",
        ]
        labels = {
            "organization": gettext_lazy("Used by"), "scale_low": gettext_lazy("Lowest possible result"),
            "scale_high": gettext_lazy("Highest possible result"), "is_higher_better": gettext_lazy("A higher result is better"),
            "is_evaluation": gettext_lazy("This evaluates staff"),
        }  # fmt: skip

    def __init__(self, *args: Any, viewer: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        _choose_place(self, queries.places_kept_by(viewer))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        low, high = cleaned.get("scale_low"), cleaned.get("scale_high")
        if low is not None and high is not None and high <= low:
            self.add_error("scale_high", _("The highest result is above the lowest."))
        return cleaned


class DollarsField(forms.DecimalField):
    """Dollars as people type them; cents as the ledger keeps them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_digits=12, decimal_places=2, **options)

    def clean(self, value: Any) -> Any:
        text = value.replace("$", "").replace(",", "").strip() if isinstance(value, str) else value
        dollars = super().clean(text)
        return None if dollars is None else int((dollars * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


class PriceForm(forms.ModelForm[Price]):
    """A line of a price list."""

    unit_price_usd_cents = DollarsField(
        label=gettext_lazy("Price of one unit in dollars"),
        help_text=gettext_lazy("Of wages: for an hour, without benefits."),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Whose wage"), required=False, help_text=gettext_lazy("Time that this role logs is priced by it."),
        choices=[("", gettext_lazy("— no wage —")), *(each for each in Role.choices if each[0] != Role.STUDENT)],
    )  # fmt: skip

    class Meta:
        model = Price
        fields = [
            "organization", "kind", "name", "role", "unit", "unit_price_usd_cents", "benefits_percent", "lifetime_years",
            "interest_percent", "price_year", "region", "scales_with", "is_opportunity",
        ]  # fmt: skip
        labels = {
            "organization": gettext_lazy("Price list of"), "benefits_percent": gettext_lazy("Benefits, in percent of the wage"),
            "lifetime_years": gettext_lazy("Lasts for years"), "interest_percent": gettext_lazy("Interest, in percent a year"),
            "price_year": gettext_lazy("Prices of the year"), "scales_with": gettext_lazy("Needed once more for"),
            "is_opportunity": gettext_lazy("No money changes hands"),
        }  # fmt: skip
        help_texts = {
            "is_opportunity": gettext_lazy(
                "Time within the contract, a classroom after school: it has a price all the same, since it could have been used "
                "otherwise. Pages tell it apart from money spent."
            ),
        }  # fmt: skip

    def __init__(self, *args: Any, viewer: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        _choose_place(self, queries.places_kept_by(viewer))
        self.fields["price_year"].initial = timezone.localdate().year
        scaling = self.fields["scales_with"]
        assert isinstance(scaling, forms.ChoiceField)
        scaling.required, scaling.initial = False, ""
        scaling.choices = [("", _("— as usual for its kind —")), *ScalesWith.choices]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == Price.Kind.WAGE and not cleaned.get("role"):
            self.add_error("role", _("Say whose wage this is."))
        if cleaned.get("kind") not in (Price.Kind.WAGE, None) and cleaned.get("role"):
            self.add_error("role", _("Only a wage belongs to a role."))
        if cleaned.get("lifetime_years") == 0:
            self.add_error("lifetime_years", _("A thing lasts at least one year."))
        for name in ("benefits_percent", "interest_percent"):
            if (cleaned.get(name) or 0) < 0:
                self.add_error(name, _("This is not negative."))
        if not cleaned.get("scales_with"):
            cleaned.pop("scales_with", None)  # the deed knows what is usual
        if cleaned.get("price_year") is not None and not 1990 <= cleaned["price_year"] <= 2100:
            self.add_error("price_year", _("A year such as 2026."))
        return cleaned


class IngredientForm(forms.Form):
    """One ingredient that an activity used: from the price list, or with a price of its own."""

    price = forms.ModelChoiceField(
        label=gettext_lazy("From the price list"), queryset=Price.objects.none(), required=False,
        empty_label=gettext_lazy("— something else —"),
    )  # fmt: skip
    ingredient = forms.CharField(label=gettext_lazy("Something else"), max_length=200, required=False)
    unit_price_usd_cents = DollarsField(label=gettext_lazy("Its price in dollars"), required=False)
    quantity = forms.DecimalField(
        label=gettext_lazy("How many units"), min_value=Decimal("0.0001"), max_digits=13, decimal_places=4
    )
    happened_on = forms.DateField(label=gettext_lazy("Day"), widget=DateInput(), initial=timezone.localdate)
    payer = forms.CharField(label=gettext_lazy("Who pays"), max_length=100, required=False)
    scales_with = forms.ChoiceField(
        label=gettext_lazy("Needed once more for"), required=False,
        choices=[("", gettext_lazy("— as the price list says —")), *ScalesWith.choices],
        help_text=gettext_lazy("It decides what one more teacher would cost."),
    )  # fmt: skip
    is_business_as_usual = forms.BooleanField(
        label=gettext_lazy("Would have been spent anyway"), required=False,
        help_text=gettext_lazy("It is subtracted: only what is new counts as the activity's cost."),
    )  # fmt: skip

    def __init__(self, *args: Any, prices: QuerySet[Price], **options: Any) -> None:
        super().__init__(*args, **options)
        _limit(self, "price", prices)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("price"):
            if not cleaned.get("ingredient"):
                self.add_error("ingredient", _("Choose a line of the price list, or say what it is."))
            if cleaned.get("unit_price_usd_cents") is None:
                self.add_error("unit_price_usd_cents", _("Say what one of it costs."))
        return cleaned

    def line(self) -> dict[str, Any]:
        """What was typed, as the ledger takes it."""
        line = dict(self.cleaned_data)
        if line["price"]:
            line.pop("ingredient"), line.pop("unit_price_usd_cents")
        else:
            line.update(kind=Price.Kind.FEE, unit=_("each"))
        return line


class PriceIndexForm(forms.ModelForm[PriceIndex]):
    """How dear a year or a region is, as a published index says."""

    class Meta:
        model = PriceIndex
        fields = ["organization", "kind", "name", "value", "source"]
        labels = {
            "organization": gettext_lazy("Used by"), "kind": gettext_lazy("Of a"), "name": gettext_lazy("Year or region"),
            "value": gettext_lazy("Index"), "source": gettext_lazy("Source"),
        }  # fmt: skip

    def __init__(self, *args: Any, viewer: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        _choose_place(self, queries.places_kept_by(viewer))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name = cleaned["name"] = (cleaned.get("name") or "").strip()
        if cleaned.get("kind") == PriceIndex.Kind.YEAR and not (
            name.isascii() and name.isdecimal() and 1990 <= int(name) <= 2100
        ):
            self.add_error("name", _("A year such as 2026."))
        if cleaned.get("value") is not None and cleaned["value"] <= 0:
            self.add_error("value", _("An index is above zero."))
        return cleaned

    def validate_unique(self) -> None:
        """The same year or region again puts right what was said."""


class ComparisonForm(forms.Form):
    """Two activities to hold side by side, in prices of which year and region."""

    one = forms.ModelChoiceField(label=gettext_lazy("Activity"), queryset=Activity.objects.none(), to_field_name="key")
    other = forms.ModelChoiceField(
        label=gettext_lazy("Compared with"), queryset=Activity.objects.none(), to_field_name="key"
    )
    year = forms.ChoiceField(label=gettext_lazy("In prices of"), required=False)
    region = forms.ChoiceField(label=gettext_lazy("Region"), required=False)

    def __init__(self, *args: Any, viewer: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        activities = queries.activities_with_costs_for(viewer)
        _limit(self, "one", activities)
        _limit(self, "other", activities)
        for name, kind in (("year", PriceIndex.Kind.YEAR), ("region", PriceIndex.Kind.REGION)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            names = queries.indexed_names(viewer, kind)
            field.choices = [("", _("as they were")), *((each, each) for each in names)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("one") and cleaned.get("one") == cleaned.get("other"):
            self.add_error("other", _("Choose two different activities."))
        return cleaned


class EntriesForm(forms.Form):
    """What to show of the activity ledger."""

    activity = forms.ModelChoiceField(
        label=gettext_lazy("Activity"), queryset=Activity.objects.none(), required=False, to_field_name="key",
        empty_label=gettext_lazy("all"),
    )  # fmt: skip
    verb = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    month = forms.CharField(
        label=gettext_lazy("Month"),
        required=False,
        widget=forms.TextInput(attrs={"type": "month", "placeholder": "2026-09"}),
    )

    def __init__(self, *args: Any, viewer: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        _limit(self, "activity", queries.activities_for(viewer))
        verb = self.fields["verb"]
        assert isinstance(verb, forms.ChoiceField)
        words = sorted((str(each.label), each.iri) for each in VERBS.values())
        verb.choices = [("", _("all")), *((iri, label) for label, iri in words)]

    def clean_month(self) -> Any:
        from datetime import date

        text = self.cleaned_data["month"]
        try:
            return date.fromisoformat(f"{text}-01") if text else None
        except ValueError as problem:
            raise forms.ValidationError(_("A month such as 2026-09.")) from problem


def saved_mappings(organization: Organization) -> QuerySet[ColumnMapping]:
    """Mappings that were kept for this organization's files."""
    return ColumnMapping.objects.filter(organization=organization).select_related("instrument")
