"""What people type about lotteries: seats and waves, who asks, where the number comes from, and the answer to an offer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.knowing.impact import queries
from staffroom.knowing.impact.actions import Round
from staffroom.knowing.impact.models import Lottery, Offer
from staffroom.people.models import Organization, Person
from staffroom.records.forms import DateInput
from staffroom.records.models import Activity, Instrument

MOST_SEATS = 100_000
MOST_FILE_BYTES = 2 * 1024 * 1024
WAVES = (1, 2, 3)
WAVE_NAMES = {1: gettext_lazy("Now"), 2: gettext_lazy("Next"), 3: gettext_lazy("Later")}


class Day(forms.DateField):
    """A day that a school year can have."""

    def __init__(self, **options: Any) -> None:
        limits = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2100, 1, 1))]
        super().__init__(widget=DateInput(), validators=limits, **options)


class Many(forms.ModelMultipleChoiceField[Any]):
    """Several rows. A number that no row can have is refused, not asked for."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError:
            raise forms.ValidationError(_("Choose from the list.")) from None


def choose_from(form: forms.BaseForm, name: str, rows: Any) -> None:
    """Let a field of a form choose among these rows."""
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows


class LotteryForm(forms.Form):
    """A lottery before it is announced: what for, how many seats, when the waves begin, and how it is drawn."""

    organization = forms.ModelChoiceField(
        label=gettext_lazy("For whom"), queryset=Organization.objects.none(), empty_label=None
    )
    activity = forms.ModelChoiceField(
        label=gettext_lazy("Seats in which activity"), queryset=Activity.objects.none(), empty_label=gettext_lazy("Choose an activity"),
    )  # fmt: skip
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        help_text=gettext_lazy("As teachers will read it: “Coaching seats 2027”."),
    )
    description = forms.CharField(
        label=gettext_lazy("What those who ask should know"), required=False, max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    unit = forms.ChoiceField(
        label=gettext_lazy("What is drawn"), choices=Lottery.Unit.choices,
        help_text=gettext_lazy("Whole schools where teachers of one school could not be kept apart; this needs many more of them."),
    )  # fmt: skip
    blocks = forms.ChoiceField(
        label=gettext_lazy("Draw"), choices=Lottery.Blocks.choices, initial=Lottery.Blocks.SCHOOL
    )
    least_in_block = forms.IntegerField(
        label=gettext_lazy("Join groups smaller than"), min_value=2, max_value=50, initial=4,
        help_text=gettext_lazy("A school with a single teacher tells nothing; small ones are drawn together."),
    )  # fmt: skip
    seats_1 = forms.IntegerField(label=gettext_lazy("Seats now"), min_value=1, max_value=MOST_SEATS)
    begins_1 = Day(label=gettext_lazy("Begins on"))
    seats_2 = forms.IntegerField(
        label=gettext_lazy("Seats next"), min_value=1, max_value=MOST_SEATS, required=False,
        help_text=gettext_lazy("Leave it empty where no more seats are planned: the others stay on the waitlist."),
    )  # fmt: skip
    begins_2 = Day(label=gettext_lazy("Next begins on"), required=False)
    seats_3 = forms.IntegerField(label=gettext_lazy("Seats later"), min_value=1, max_value=MOST_SEATS, required=False)
    begins_3 = Day(label=gettext_lazy("Later begins on"), required=False)
    notice_days = forms.IntegerField(
        label=gettext_lazy("Invite so many days before a wave begins"), min_value=1, max_value=200, initial=28
    )

    def __init__(self, *args: Any, viewer: Person, lottery: Lottery | None = None, **options: Any) -> None:
        if lottery is not None:
            options["initial"] = _initial(lottery)
        super().__init__(*args, **options)
        choose_from(self, "organization", queries.places_for_lotteries(viewer))
        choose_from(self, "activity", queries.activities_for_lotteries(viewer))
        if lottery is not None:
            del self.fields["organization"], self.fields["activity"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        place, activity = cleaned.get("organization"), cleaned.get("activity")
        if place and activity and not _is_around(place, activity.organization):
            self.add_error("activity", _("This activity is not for people of %(place)s.") % {"place": place})
        latest = cleaned.get("begins_1")
        for wave in WAVES[1:]:
            seats, begins = cleaned.get(f"seats_{wave}"), cleaned.get(f"begins_{wave}")
            if (seats is None) != (begins is None) and not {f"seats_{wave}", f"begins_{wave}"} & set(self.errors):
                self.add_error(f"begins_{wave}", _("A wave has both, seats and a day on which it begins."))
            if latest and begins and begins <= latest:
                self.add_error(f"begins_{wave}", _("Each wave begins after the one before."))
            latest = begins or latest
        if cleaned.get("seats_3") and not cleaned.get("seats_2") and "seats_2" not in self.errors:
            self.add_error("seats_2", _("Fill the next wave before the later one."))
        return cleaned

    @property
    def rounds(self) -> list[Round]:
        """The waves, of a form that is valid."""
        said = self.cleaned_data
        return [
            Round(name=str(WAVE_NAMES[wave]), seats=said[f"seats_{wave}"], begins_on=said[f"begins_{wave}"])
            for wave in WAVES
            if said.get(f"seats_{wave}")
        ]

    @property
    def settings(self) -> dict[str, Any]:
        """What is neither a wave nor what for."""
        names = ("name", "description", "unit", "blocks", "least_in_block", "notice_days")
        return {name: self.cleaned_data[name] for name in names}


def _initial(lottery: Lottery) -> dict[str, Any]:
    said: dict[str, Any] = {
        name: getattr(lottery, name)
        for name in ("name", "description", "unit", "blocks", "least_in_block", "notice_days")
    }
    for wave in lottery.waves.all():
        said |= {f"seats_{wave.number}": wave.seats, f"begins_{wave.number}": wave.begins_on}
    return said


def _is_around(place: Organization, other: Organization) -> bool:
    return place.path.startswith(other.path) or other.path.startswith(place.path)


class ApplicantsForm(forms.Form):
    """Who asks for a seat: all who teach at some schools, or a list of names or addresses, typed or from a file."""

    schools = Many(
        label=gettext_lazy("All who teach at"), queryset=Organization.objects.none(), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    people = forms.CharField(
        label=gettext_lazy("Or a list"), required=False, max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": "amara.okafor@riverbend.example"}),
        help_text=gettext_lazy("One teacher a line: e-mail address or full name. If you draw by groups, a comma and the group."),
    )  # fmt: skip
    file = forms.FileField(
        label=gettext_lazy("Or a file of such lines"), required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )  # fmt: skip

    def __init__(self, *args: Any, lottery: Lottery, **options: Any) -> None:
        super().__init__(*args, **options)
        self.lottery = lottery
        choose_from(self, "schools", queries.schools_below(lottery.organization))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > MOST_FILE_BYTES:
            raise forms.ValidationError(_("The file is too large: at most 2 MB."))
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        lines = cleaned.get("people", "").splitlines() + _lines_of(cleaned.get("file"))
        lines = [line.strip() for line in lines if line.strip()]
        schools = list(cleaned.get("schools") or [])
        if not lines and not schools:
            raise forms.ValidationError(_("Choose schools, or name teachers."))
        teachers = queries.teachers_at(self.lottery.organization, schools) if schools else []
        named, blocks = self._named(lines)
        cleaned["teachers"] = [*teachers, *named]
        cleaned["blocks"] = blocks
        return cleaned

    def _named(self, lines: Sequence[str]) -> tuple[list[queries.Teacher], dict[int, str]]:
        known: dict[str, queries.Teacher | None] = {}
        for each in queries.teachers_at(self.lottery.organization) if lines else []:
            for name in {
                each.person.full_name.lower(),
                (each.person.email or "").lower(),
                each.person.source_id.lower(),
            }:
                # A name that two people have finds neither.
                known[name] = None if name in known else each
        found, blocks, problems = [], {}, []
        for line in lines:
            name, _comma, block = (part.strip() for part in line.partition(","))
            teacher = known.get(name.lower())
            if teacher is None:
                problems.append(name[:80])
                continue
            found.append(teacher)
            blocks[teacher.person.pk] = block[:100]
        if problems:
            shown = ", ".join(problems[:10]) + (" …" if len(problems) > 10 else "")
            self.add_error(
                "people", _("Nobody, or more than one, teaches there by the name of: %(names)s") % {"names": shown}
            )
        return found, blocks


def _lines_of(file: Any) -> list[str]:
    """The lines of a file, read as text as well as it can be."""
    if not file:
        return []
    data = file.read()
    for encoding in ("utf-8-sig", "utf-16"):
        try:
            return [line for line in data.decode(encoding).replace("\0", "").splitlines() if line.strip(" ,;")]
        except UnicodeDecodeError:
            continue
    return [line for line in data.decode("latin-1").replace("\0", "").splitlines() if line.strip(" ,;")]


class ApplicationsForm(forms.Form):
    """Until when teachers may ask for a seat themselves."""

    until = Day(
        label=gettext_lazy("Until"),
        help_text=gettext_lazy("That day included. It may be moved to a later day, never to an earlier one."),
    )


class AnnounceForm(forms.Form):
    """Where the number comes from that nobody can know today."""

    number_source = forms.CharField(
        label=gettext_lazy("The number that will decide"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "Something public that nobody can know today or choose, such as: the winning numbers of the state lottery on Saturday, "
            "December 5, in their order."
        ),
    )  # fmt: skip


class DrawForm(forms.Form):
    """The number, once it is known."""

    number = forms.CharField(label=gettext_lazy("The number"), max_length=100)


class OfferForm(forms.Form):
    """Take a seat or leave it."""

    answer = forms.ChoiceField(
        label=gettext_lazy("Your answer"),
        choices=[(Offer.Answer.ACCEPTED.value, gettext_lazy("Take it")), (Offer.Answer.DECLINED.value, gettext_lazy("Leave it"))],
    )  # fmt: skip


class StudyOfLotteryForm(forms.Form):
    """By which results the lottery is to be judged."""

    instrument = forms.ModelChoiceField(
        label=gettext_lazy("Measured by"), queryset=Instrument.objects.none(), empty_label=None
    )

    def __init__(self, *args: Any, viewer: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = queries.instruments_for_studies(viewer)
        choose_from(self, "instrument", rows)
        # Read once, not once for each time that the field is asked for its choices.
        field = self.fields["instrument"]
        assert isinstance(field, forms.ModelChoiceField)
        field.choices = [(each.pk, str(each)) for each in rows]
