"""What this room keeps about people. Read by "My record", export, retention and erasure."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.people.models import Person
from staffroom.people.personal import declare, impersonal
from staffroom.permissions.models import (
    Access,
    AccessToken,
    ApiKey,
    BreakGlass,
    Circle,
    CircleMember,
    Consent,
    Erasure,
    Policy,
    RetentionWarning,
    Share,
    Tool,
)


def _delete(rows: QuerySet[Any], person: Person) -> int:
    return int(rows.delete()[0])


def _name(person: Person | None) -> str:
    return person.full_name if person else _("somebody erased")


def _forget_in(*columns: str) -> Any:
    """Erase a person from rows that stay: each named column that points at her is emptied."""

    def forget(rows: QuerySet[Any], person: Person) -> int:
        model = rows.model._default_manager
        return sum(model.filter(**{column: person}).update(**{column: None}) for column in columns)

    return forget


def _erase_share(rows: QuerySet[Share], person: Person) -> int:
    """Loans given and loans received both end with the person."""
    return int(rows.delete()[0])


def _erase_access(rows: QuerySet[Access], person: Person) -> int:
    """Her own log goes; in other owners' logs the line stays and its viewer is no longer named."""
    kept = rows.model._default_manager.filter(viewer=person).exclude(owner=person).update(viewer=None)
    return int(kept + rows.model._default_manager.filter(owner=person).delete()[0])


def _erase_glass(rows: QuerySet[BreakGlass], person: Person) -> int:
    named = _forget_in("asked_by", "approved_by")(rows, person)
    return int(named + BreakGlass.objects.filter(owner=person).delete()[0])


def _thing(row: Any) -> str:
    thing: Model | None = row.about
    return str(thing) if thing is not None else _("something that is gone")


def _describe_share(share: Share) -> str:
    words = {"thing": _thing(share), "audience": share.person or share.circle or share.organization or _("everyone")}
    if share.retracted_at:
        return _("%(thing)s was lent to %(audience)s and taken back") % words
    return _("%(thing)s is lent to %(audience)s until %(end)s") % {**words, "end": share.expires_at.date()}


def declare_all() -> None:
    impersonal(Erasure, "a receipt; holds a random key and counts, and names nobody")
    _declare_consent()
    _declare_shares()
    _declare_circles()
    _declare_log()
    _declare_glass()
    _declare_policy_and_warnings()


def _declare_consent() -> None:
    declare(
        model=Consent,
        what=gettext_lazy("The family's answer about media showing a student"),
        why=gettext_lazy("So that nobody is shown against the family's will"),
        how_long=gettext_lazy("As long as the student is here, or until the answer's own end"),
        about=lambda person: Q(student=person) | Q(recorded_by=person),
        erase=lambda rows, person: (
            _forget_in("recorded_by")(rows, person) + Consent.objects.filter(student=person).delete()[0]
        ),
        describe=lambda consent: str(consent),
        author=lambda consent: _name(consent.recorded_by),
        readers=lambda consent: _("Teachers of the student's sections, school leaders and administrators"),
        export=lambda consent: {
            "answer": consent.answer,
            "given_by": consent.given_by,
            "created_at": consent.created_at.isoformat(),
        },
        ends=gettext_lazy("With the student's record"),
    )


def _declare_shares() -> None:
    declare(
        model=Share,
        what=gettext_lazy("What you lent to others, and what was lent to you"),
        why=gettext_lazy("So that others see only what they were lent, and only as long as you want"),
        how_long=gettext_lazy("As long as the thing that was lent"),
        about=lambda person: Q(owner=person) | Q(person=person),
        erase=_erase_share,
        describe=_describe_share,
        author=lambda share: _name(share.owner),
        readers=lambda share: _("Its owner and those it was lent to"),
        export=lambda share: {
            "about": _thing(share),
            "audience": share.audience,
            "created_at": share.created_at.isoformat(),
            "expires_at": share.expires_at.isoformat(),
            "retracted_at": share.retracted_at.isoformat() if share.retracted_at else None,
        },
        ends=gettext_lazy("With the thing that was lent"),
    )


def _declare_circles() -> None:
    declare(
        model=Circle,
        what=gettext_lazy("Circles that you founded"),
        why=gettext_lazy("So that you can share with several colleagues at once"),
        how_long=gettext_lazy("One school year, or as long as your district keeps things"),
        about=lambda person: Q(owner=person),
        erase=_delete,
        describe=lambda circle: circle.name,
        author=lambda circle: _name(circle.owner),
        readers=lambda circle: _("The members of the circle"),
        export=lambda circle: {
            "name": circle.name,
            "members": [each.person.full_name for each in circle.members.select_related("person")],
        },
        ends="ends_on",
        owner=lambda circle: circle.owner,
    )
    declare(
        model=CircleMember,
        what=gettext_lazy("Circles that you are in"),
        why=gettext_lazy("So that you can see what is shared with them"),
        how_long=gettext_lazy("Until you leave, or the circle ends"),
        about=lambda person: Q(person=person),
        erase=_delete,
        describe=lambda member: str(member.circle),
        author=lambda member: _name(member.circle.owner),
        readers=lambda member: _("The members of the circle"),
        export=lambda member: {"circle": member.circle.name, "joined_at": member.joined_at.isoformat()},
        ends=gettext_lazy("With the circle"),
    )


def _declare_log() -> None:
    declare(
        model=Access,
        what=gettext_lazy("Who opened your things, and what you opened of others"),
        why=gettext_lazy("So that an owner can see who opened what, when, through which share"),
        how_long=gettext_lazy("One school year, or as long as your district keeps things"),
        about=lambda person: Q(owner=person) | Q(viewer=person),
        erase=_erase_access,
        describe=lambda access: _("%(who)s %(deed)s %(title)s") % {
            "who": _name(access.viewer), "deed": access.deed, "title": access.title},
        author=lambda access: _("Staffroom"),
        readers=lambda access: _("The owner of the thing"),
        export=lambda access: {"deed": access.deed, "title": access.title, "at": access.at.isoformat()},
        ends="ends_on",
    )  # fmt: skip


def _declare_glass() -> None:
    declare(
        model=BreakGlass,
        what=gettext_lazy("When administrators asked to open something of yours"),
        why=gettext_lazy("So that no exception to your privacy goes unseen"),
        how_long=gettext_lazy("As long as your account"),
        about=lambda person: Q(owner=person) | Q(asked_by=person) | Q(approved_by=person),
        erase=_erase_glass,
        describe=lambda request: _("%(who)s: %(reason)s") % {
            "who": _name(request.asked_by), "reason": request.reason},
        author=lambda request: _name(request.asked_by),
        readers=lambda request: _("The owner and the administrators over her"),
        export=lambda request: {"reason": request.reason, "asked_at": request.asked_at.isoformat(),
                                "approved": request.approved_at is not None},
        ends=gettext_lazy("With your account"),
    )  # fmt: skip


def _declare_policy_and_warnings() -> None:
    declare(
        model=Policy,
        what=gettext_lazy("Versions of your district's policy that you made"),
        why=gettext_lazy("So that it can be told later under which policy something was recorded"),
        how_long=gettext_lazy("For ever; your name goes with your account"),
        about=lambda person: Q(made_by=person),
        erase=_forget_in("made_by"),
        describe=str,
        author=lambda policy: _name(policy.made_by),
        readers=lambda policy: _("Everybody in the district"),
        export=lambda policy: {"version": policy.version, "settings": policy.settings},
        ends=gettext_lazy("Never"),
    )
    declare(
        model=RetentionWarning,
        what=gettext_lazy("Warnings that something of yours ends soon"),
        why=gettext_lazy("So that you are told once"),
        how_long=gettext_lazy("Until the thing has ended"),
        about=lambda person: Q(person=person),
        erase=_delete,
        describe=lambda warning: _("a warning about %(day)s") % {"day": warning.ends_on},
        author=lambda warning: _("Staffroom"),
        readers=lambda warning: _("You alone"),
        ends="ends_on",
    )
    _declare_tools()


def _declare_tools() -> None:
    declare(
        model=Tool,
        what=gettext_lazy("Programs that you let into your district's ledger"),
        why=gettext_lazy("So that administrators know who let them in"),
        how_long=gettext_lazy("As long as the district keeps its ledger; your name goes with your account"),
        about=lambda person: Q(created_by=person),
        erase=_forget_in("created_by"),
        describe=str,
        author=lambda tool: _name(tool.created_by),
        readers=lambda tool: _("Administrators of the district"),
        ends=gettext_lazy("With the district's ledgers"),
    )
    declare(
        model=ApiKey,
        what=gettext_lazy("Keys that you made for programs"),
        why=gettext_lazy("So that administrators know who made them"),
        how_long=gettext_lazy("As long as the district keeps its ledger; your name goes with your account"),
        about=lambda person: Q(created_by=person),
        erase=_forget_in("created_by"),
        describe=lambda key: f"{key.tool}: {key.name}",
        author=lambda key: _name(key.created_by),
        readers=lambda key: _("Administrators of the district"),
        ends=gettext_lazy("With the district's ledgers"),
        related=("tool",),
    )
    impersonal(AccessToken, "The hash of what a program got for its key for an hour.")
