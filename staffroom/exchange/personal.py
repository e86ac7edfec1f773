"""What the doors hold about people, and how they forget them."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.exchange import attaching
from staffroom.exchange.models import (
    Agent,
    Attachment,
    Credit,
    DayToCount,
    Destination,
    Document,
    KnownActivity,
    Mapping,
    PutAside,
    Rejection,
)
from staffroom.people.models import Person
from staffroom.people.personal import declare, impersonal
from staffroom.records import erasing, finding
from staffroom.records.finding import Mention
from staffroom.records.models import Statement

AT_ONCE = 500


def _erase_agents(agents: QuerySet[Agent], person: Person) -> int:
    """Take every identifier that tools used for the person out of the ledger, then forget it."""
    found = list(agents)
    for agent in found:
        name = finding.ifi(agent.identifier)
        targets = [finding.target(agent.tenant_id, kind, name) for kind in (finding.AGENT, finding.AROUND_AGENT)]
        numbers = list(Mention.objects.filter(target__in=targets).values_list("entry", flat=True))
        for start in range(0, len(numbers), AT_ONCE):
            entries = list(Statement.objects.filter(pk__in=numbers[start : start + AT_ONCE]))
            _drop_attachments(agent.tenant_id, [each for each in entries if finding.ifi(each.body["actor"]) == name])
            erasing.take_agents_out(entries, {name}, person=person)
    agents.delete()
    return len(found)


def _drop_attachments(tenant_id: int, entries: list[Statement]) -> None:
    """Remove the bytes that the person's own statements brought."""
    hashes = {attachment["sha2"].lower() for each in entries for attachment in attaching.listed(each.body)}
    for kept in Attachment.objects.filter(tenant_id=tenant_id, sha2__in=hashes) if hashes else ():
        transaction.on_commit(lambda path=kept.path: default_storage.delete(path))  # type: ignore[misc]
        kept.delete()


def _delete(rows: QuerySet[Any], person: Person) -> int:
    return int(rows.delete()[0])


declare(
    model=Agent,
    what=gettext_lazy("Under which account or address other programs of your district know you"),
    why=gettext_lazy("So that a workshop or course elsewhere counts as yours."),
    how_long=gettext_lazy("As long as you are here."),
    about=lambda person: Q(person=person),
    erase=_erase_agents,
    describe=lambda agent: ", ".join(str(each) for each in agent.identifier.values()),
    author=lambda agent: str(agent.matched_by) if agent.matched_by else _("matched by the address or account"),
    readers=lambda agent: _("administrators of your district, and the programs that you used"),
    export=lambda agent: agent.identifier,
    ends=gettext_lazy("When you are erased."),
)
declare(
    model=Document,
    what=gettext_lazy("What a program of your district remembers about you: where you are in a course, your settings there"),
    why=gettext_lazy("The program asked Staffroom to keep it; Staffroom does not read it."),
    how_long=gettext_lazy("Until the program removes it, or you are erased."),
    about=lambda person: Q(person=person),
    erase=_delete,
    describe=lambda document: f"{document.get_kind_display()}: {document.name[:100]}",
    author=lambda document: _("a program of your district"),
    readers=lambda document: _("programs of %(place)s that keep such things") % {"place": document.organization},
    export=lambda document: {
        "kind": document.kind, "name": document.name, "content_type": document.content_type,
        "content": bytes(document.content).decode("utf-8", "replace"), "updated_at": document.updated_at.isoformat(),
    },
    ends=gettext_lazy("When you are erased."),
)  # fmt: skip
declare(
    model=Credit,
    what=gettext_lazy("Which of your hours were counted from what other programs wrote about you"),
    why=gettext_lazy("So that a workshop or course elsewhere counts as yours, once."),
    how_long=gettext_lazy("As long as the district's ledgers hold the hours; erasing you takes you out of both."),
    about=lambda person: Q(person=person),
    erase=_delete,
    describe=lambda credit: _("%(day)s: %(activity)s, %(minutes)s min") % {
        "day": date_format(credit.day), "activity": credit.activity.name, "minutes": round(credit.seconds / 60)},
    author=lambda credit: _("counted from entries of other programs"),
    readers=lambda credit: _("you; leaders of your school and district see date, minutes and kinds"),
    export=lambda credit: {
        "day": credit.day.isoformat(), "activity": credit.activity.name, "seconds": credit.seconds, "entries": credit.sources,
    },
    ends=gettext_lazy("With the district's ledgers."),
)  # fmt: skip
declare(
    model=DayToCount,
    what=gettext_lazy("That a day of yours is being counted anew"),
    why=gettext_lazy("Something that a program wrote about that day has changed."),
    how_long=gettext_lazy("A moment."),
    about=lambda person: Q(person=person),
    erase=_delete,
    describe=lambda mark: date_format(mark.day),
    author=lambda mark: _("made by what a program wrote"),
    readers=lambda mark: _("nobody"),
    ends=gettext_lazy("As soon as it is counted."),
)
declare(
    model=Mapping,
    what=gettext_lazy("That you said which activity a course elsewhere counts as"),
    why=gettext_lazy("To know whom to ask about it."),
    how_long=gettext_lazy("As long as the district uses it."),
    about=lambda person: Q(made_by=person),
    erase=lambda mappings, person: mappings.update(made_by=None),
    describe=str,
    author=lambda mapping: _("you"),
    readers=lambda mapping: _("administrators of your district"),
    ends=gettext_lazy("With the district's ledgers."),
)
impersonal(KnownActivity, "What a course or workshop of another program is called.")
impersonal(Attachment, "Bytes under their hash; whose they are is said by statements alone, with which they go.")
impersonal(Rejection, "Which rule a program's request broke; never what it held.")
declare(
    model=Destination,
    what=gettext_lazy("That you let another record store have what is written here"),
    why=gettext_lazy("To know whom to ask about it."),
    how_long=gettext_lazy("As long as the district's ledgers."),
    about=lambda person: Q(made_by=person),
    erase=lambda destinations, person: destinations.update(made_by=None),
    describe=str,
    author=lambda destination: _("you"),
    readers=lambda destination: _("administrators of your district"),
    ends=gettext_lazy("With the district's ledgers."),
)
impersonal(Destination.tools.through, "Which programs' entries another store gets.")
impersonal(PutAside, "Which entry another store refused, by its number, and what it said.")
