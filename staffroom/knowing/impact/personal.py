"""What this room keeps about people: who asked for a seat and what fell to them, and who asked a question. All else are sums."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.knowing.impact.models import (
    Aim,
    Allotment,
    Applicant,
    Calibration,
    Estimate,
    Evidence,
    EvidenceKey,
    Goal,
    Lot,
    Lottery,
    Offer,
    Standing,
    Study,
    StudyAnswer,
    StudyVersion,
    SumSharing,
    Tally,
    Wave,
)
from staffroom.people.models import Person
from staffroom.people.personal import declare, impersonal

KEPT = gettext_lazy(
    "As long as the district keeps its ledgers; erasing you takes your name out and keeps what was drawn."
)
ENDS = gettext_lazy("With the district's ledgers.")


def declare_all() -> None:
    impersonal(Estimate, "An effect over many teachers and students; small groups are left out before it is kept.")
    impersonal(Tally, "Sums over at least five people; smaller ones are left out before they are kept.")
    impersonal(StudyAnswer, "An effect over many teachers and students; small groups are left out before it is kept.")
    impersonal(Study.activities.through, "Which activities a study asks about.")
    impersonal(Study.schools.through, "Which schools a study asks about.")
    impersonal(Wave, "How many seats there are from which day on.")
    impersonal(Lot, "A ticket; whose it is, its applicants say.")
    impersonal(Allotment, "What fell to a ticket; whose it is, its applicants say.")
    impersonal(EvidenceKey, "The key by which an organization signs what it tells others.")
    impersonal(Calibration, "How often made-up activities came out as if they worked.")
    impersonal(Aim, "Which practice an activity is there for.")
    _declare_lotteries()
    _declare_studies()
    _declare_growth()
    declare(
        model=SumSharing, what=gettext_lazy("That you switched the giving of sums on or off"),
        why=gettext_lazy("So that it is known who answers for it."), how_long=KEPT,
        about=lambda person: Q(switched_by=person), erase=lambda found, person: _empty(found, person, "switched_by"),
        describe=str, author=lambda each: _("you"),
        readers=lambda each: _("leaders, administrators and researchers of the organization"), ends=ENDS, related=("activity",),
    )  # fmt: skip
    declare(
        model=Evidence, what=gettext_lazy("That you took in evidence of another organization"),
        why=gettext_lazy("So that it is known who answers for it."), how_long=KEPT,
        about=lambda person: Q(taken_in_by=person), erase=lambda found, person: _empty(found, person, "taken_in_by"),
        describe=str, author=lambda each: _("you"),
        readers=lambda each: _("leaders, administrators and researchers of the organization"), ends=ENDS,
    )  # fmt: skip


def _declare_lotteries() -> None:
    declare(
        model=Applicant, what=gettext_lazy("That you asked for a seat, or were entered for one, in a lottery"),
        why=gettext_lazy("To give out scarce seats fairly, and to learn from it what works."), how_long=KEPT,
        about=lambda person: Q(person=person), erase=_erase_applicants,
        describe=lambda each: _("%(lottery)s, entered on %(day)s") % {
            "lottery": each.lottery.name, "day": date_format(each.added_at.date())},
        author=lambda each: _("those who run the lottery"),
        readers=lambda each: _("you; leaders and administrators who run the lottery"),
        export=lambda each: {"lottery": each.lottery.name, "ticket": each.lot.ticket if each.lot else None},
        page=lambda each: reverse("lotteries:lottery", args=[each.lottery.slug]), ends=ENDS,
        related=("lottery", "lot"),
    )  # fmt: skip
    declare(
        model=Offer, what=gettext_lazy("A seat that was offered to you, and what you answered"),
        why=gettext_lazy("To know whose seat is free, and who was meant to take part."), how_long=KEPT,
        about=lambda person: Q(applicant__person=person),
        # The seat stays; whose it was is forgotten with the applicant.
        erase=lambda offers, person: offers.count(),
        describe=lambda each: f"{each.applicant.lottery.name}, {each.wave.name}: {each.get_answer_display()}",
        author=lambda each: _("made by the draw itself"),
        readers=lambda each: _("you; leaders and administrators who run the lottery"),
        export=lambda each: {
            "lottery": each.applicant.lottery.name, "wave": each.wave.name, "answer": each.answer,
            "offered_at": each.offered_at.isoformat(),
        },
        ends=ENDS, related=("applicant__lottery", "wave"),
    )  # fmt: skip
    declare(
        model=Lottery, what=gettext_lazy("That you set up a lottery or drew it"),
        why=gettext_lazy("So that it is known who answers for it."), how_long=KEPT,
        about=lambda person: Q(created_by=person) | Q(drawn_by=person),
        erase=lambda found, person: _empty(found, person, "created_by", "drawn_by"),
        describe=str, author=lambda each: _("you"),
        readers=lambda each: _("those who run it; applicants see the procedure, not who drew"), ends=ENDS,
    )  # fmt: skip


def _declare_studies() -> None:
    declare(
        model=Study, what=gettext_lazy("That you asked a question as a study, or closed one"),
        why=gettext_lazy("So that it is known who answers for it."), how_long=KEPT,
        about=lambda person: Q(created_by=person) | Q(ended_by=person),
        erase=lambda found, person: _empty(found, person, "created_by", "ended_by"),
        describe=str, author=lambda each: _("you"),
        readers=lambda each: _("leaders, administrators and researchers of the organization"), ends=ENDS,
    )  # fmt: skip
    declare(
        model=StudyVersion, what=gettext_lazy("That you registered a version of a study"),
        why=gettext_lazy("So that it is known who fixed it beforehand."), how_long=KEPT,
        about=lambda person: Q(registered_by=person),
        erase=lambda found, person: StudyVersion.objects.filter(registered_by=person).take_person_out(registered_by=None),
        describe=lambda each: f"{each.study.name} ({each.number})", author=lambda each: _("you"),
        readers=lambda each: _("leaders, administrators and researchers of the organization"), ends=ENDS,
        related=("study",),
    )  # fmt: skip


def _declare_growth() -> None:
    declare(
        model=Goal, what=gettext_lazy("A practice that you set out to grow in"),
        why=gettext_lazy("So that you see where you stand in it, and what might help."),
        how_long=gettext_lazy("Until you are erased or leave."), about=lambda person: Q(person=person),
        erase=lambda found, person: found.delete()[0], describe=str, author=lambda each: _("you"),
        readers=lambda each: _("you, and %(coach)s") % {"coach": each.coach} if each.coach else _("you alone"),
        export=lambda each: {
            "practice": str(each.element), "why": each.why, "begun_at": each.begun_at.isoformat(),
            "ended_at": each.ended_at.isoformat() if each.ended_at else None, "coach": str(each.coach) if each.coach else None,
        },
        page=lambda each: reverse("growth:growth"), ends=gettext_lazy("With your account."), related=("element", "coach"),
    )  # fmt: skip
    declare(
        model=Standing, what=gettext_lazy("Where you stood in a practice, by your own word or your coach's"),
        why=gettext_lazy("To look back on. It is no rating and reaches no leader."),
        how_long=gettext_lazy("Until you are erased or leave."), about=lambda person: Q(person=person) | Q(by=person),
        erase=_erase_standings, describe=str,
        author=lambda each: _("you") if each.is_own else str(each.by or _("a coach")),
        readers=lambda each: _("the teacher whom it is about, and who said it"),
        export=lambda each: {
            "practice": str(each.element), "level": each.get_level_display(), "noted_at": each.noted_at.isoformat(),
            "is_own": each.is_own,
        },
        page=lambda each: reverse("growth:growth"), ends=gettext_lazy("With your account."), related=("element", "by"),
    )  # fmt: skip


def _erase_standings(found: QuerySet[Standing], person: Person) -> int:
    """What is about her goes; what she said of others stays theirs, without her name."""
    pks = list(found.values_list("pk", flat=True))
    Standing.objects.filter(pk__in=pks, person=person).delete()
    Standing.objects.filter(pk__in=pks, by=person).update(by=None)
    return len(pks)


def _erase_applicants(found: QuerySet[Applicant], person: Person) -> int:
    """Before the announcement an application goes; afterwards what was drawn stays, and nobody knows whose it was."""
    pks = list(found.values_list("pk", flat=True))
    Applicant.objects.filter(pk__in=pks, lot=None).delete()
    Applicant.objects.filter(pk__in=pks).update(person=None, school=None, block="")
    return len(pks)


def _empty(found: QuerySet[Any], person: Person, *columns: str) -> int:
    pks = list(found.values_list("pk", flat=True))
    for column in columns:
        found.model._default_manager.filter(pk__in=pks, **{column: person}).update(**{column: None})
    return len(pks)
