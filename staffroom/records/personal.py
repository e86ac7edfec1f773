"""What the ledgers hold about people, and how they forget them: sums stay, the person goes (trust, rule 10)."""

from __future__ import annotations

import re

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.people.models import Person
from staffroom.people.personal import declare, impersonal
from staffroom.records import building, erasing, finding, vocabulary
from staffroom.records.append_only import LakeMark
from staffroom.records.models import (
    Activity,
    Awaiting,
    ColumnMapping,
    Cost,
    Instrument,
    LakePart,
    Mention,
    Outcome,
    OutcomeImport,
    Price,
    PriceIndex,
    RetiredMonth,
    Statement,
    StatementKey,
)

KEPT = gettext_lazy("As long as the district keeps its ledgers; erasing you takes you out of them and keeps the sums.")


def _statements_about(person: Person) -> Q:
    """What somebody did, what was written down by them, and what was done to them (an agent as the object)."""
    own = building.object_iri(building.agent(person))
    return Q(actor=person) | Q(recorded_by=person) | Q(object_iri=own)


def _erase_statements(entries: QuerySet[Statement], person: Person) -> int:
    own = finding.ifi(building.agent(person))
    return erasing.take_agents_out(entries, {own}, person=person)


def _erase_outcomes(results: QuerySet[Outcome], person: Person) -> int:
    pks = list(results.values_list("pk", flat=True))
    now = timezone.now()
    for start in range(0, len(pks), 500):
        chosen = Outcome.objects.filter(pk__in=pks[start : start + 500])
        chosen.filter(person=person).take_person_out(erased_at=now, person=None)
        chosen.filter(teacher=person).take_person_out(erased_at=now, teacher=None)
    return len(pks)


def _erase_costs(costs: QuerySet[Cost], person: Person) -> int:
    return Cost.objects.filter(pk__in=list(costs.values_list("pk", flat=True))).take_person_out(person=None)


# Things of our own, as an entry names them: by an address that says nothing to a reader.
OURS = re.compile(r"/things/(\w+)/[^/]+$")
THINGS = {
    "lesson": gettext_lazy("lesson"),
    "clip": gettext_lazy("clip"),
    "moment": gettext_lazy("note"),
    "comment": gettext_lazy("reply"),
    "file": gettext_lazy("recording"),
}


def _describe_statement(entry: Statement) -> str:
    day = date_format(timezone.localtime(entry.happened_at), "DATE_FORMAT")
    ours = OURS.search(entry.object_iri)
    thing = THINGS.get(ours[1]) if ours else None
    named = [str(thing)] if thing else []
    named += [entry.activity.name] if entry.activity else []
    what = " · ".join(named) or entry.object_iri
    minutes = "" if entry.duration_s is None else _(", %(minutes)s min") % {"minutes": round(entry.duration_s / 60)}
    return f"{day}: {vocabulary.verb_label(entry.verb)} · {what}{minutes}"


declare(
    model=Statement,
    what=gettext_lazy("What you did in Staffroom and in professional learning: when, how long, what kind of deed"),
    why=gettext_lazy("To know what takes teachers' time and what works. Holds no text, rating or media."),
    how_long=KEPT,
    about=_statements_about,
    erase=_erase_statements,
    describe=_describe_statement,
    author=lambda entry: _("made by the deed itself") if entry.recorded_by is None else str(entry.recorded_by),
    readers=lambda entry: (
        _("you; leaders of your school and district see date, minutes and kind") if entry.activity_id else _("you")
    ),
    export=lambda entry: entry.body,
    ends=gettext_lazy("With the district's ledgers."),
)
declare(
    model=Outcome,
    what=gettext_lazy("Results of tests, rubrics and surveys: yours, or of the students whom you taught"),
    why=gettext_lazy("To see what changed for students, summed up over groups of at least five."),
    how_long=KEPT,
    about=lambda person: Q(person=person) | Q(teacher=person),
    erase=_erase_outcomes,
    describe=lambda result: f"{result.instrument}, {result.term}: {result.value:g}",
    author=lambda result: _("the district's records"),
    readers=lambda result: _("those who keep the district's records; pages show sums of at least five"),
    export=lambda result: {
        "key": str(result.key), "instrument": result.instrument.name, "term": result.term.name, "value": result.value,
        "subject": result.subject,
    },
    ends=gettext_lazy("With the district's ledgers."),
)  # fmt: skip
declare(
    model=Cost,
    what=gettext_lazy("What your time in professional learning cost, at the wage of your role"),
    why=gettext_lazy("To know what an activity costs. Your own pay is not known to Staffroom."),
    how_long=KEPT,
    about=lambda person: Q(person=person),
    erase=_erase_costs,
    describe=lambda cost: f"{date_format(cost.happened_on)}: {cost.ingredient}, {cost.quantity.normalize():f} {cost.unit}",
    author=lambda cost: _("made by the deed itself"),
    readers=lambda cost: _("those who keep the district's records"),
    export=lambda cost: {
        "key": str(cost.key), "ingredient": cost.ingredient, "quantity": str(cost.quantity), "unit": cost.unit,
        "amount_usd_cents": cost.amount_usd_cents,
    },
    ends=gettext_lazy("With the district's ledgers."),
)  # fmt: skip
declare(
    model=OutcomeImport,
    what=gettext_lazy("That you imported a file of results"),
    why=gettext_lazy("To find out where results came from."),
    how_long=KEPT,
    about=lambda person: Q(imported_by=person),
    erase=lambda imports, person: imports.update(imported_by=None),
    describe=lambda each: f"{each.name}, {date_format(each.created_at.date())}",
    author=lambda each: _("you"),
    readers=lambda each: _("those who keep the district's records"),
    ends=gettext_lazy("With the district's ledgers."),
)
impersonal(Activity, "A professional-learning activity of an organization.")
impersonal(Instrument, "A test, rubric or survey and its scale.")
impersonal(Price, "A line of a price list: a role's wage, never a person's pay.")
impersonal(PriceIndex, "How dear a year or a region is, as published.")
impersonal(ColumnMapping, "Which column of a file means what.")
impersonal(LakePart, "Which month of which ledger has been written to the lake.")
impersonal(
    RetiredMonth, "Which months the activity ledger no longer keeps; the erased are taken out of its files in the lake."
)
impersonal(LakeMark, "That a month of a ledger changed since the lake was written.")
impersonal(StatementKey, "Which entry has which id.")
impersonal(Awaiting, "Which entry speaks of another that has not come.")
impersonal(Mention, "By which hashes an entry is found; those of an erased person go with them.")
