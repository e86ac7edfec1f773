"""What this room keeps about people, told to the registry in ``personal``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffroom.people import models
from staffroom.people.models import Enrollment, Invitation, Membership, Person, RosterImport
from staffroom.people.personal import declare, impersonal

DISTRICT = gettext_lazy("As long as you belong to your district")
ACCOUNT = gettext_lazy("As long as you have an account")


def declare_all() -> None:
    """Declare every model of this room, and those that allauth keeps for it."""
    _declare_persons()
    _declare_belonging()
    _declare_account()
    for model, why in (
        (models.Organization, "a place: names nobody"),
        (models.Term, "a stretch of the school year"),
        (models.Course, "what is taught"),
        (models.Section, "a class; who is in it stands in its enrollments"),
        (models.Section.terms.through, "which class meets in which term"),
        (models.RosterProblem, "a row of a file that was left out; goes with the import"),
        (EmailConfirmation, "not used: confirmation links are signed, not stored"),
        (SocialApp, "not used: services are options"),
        (SocialToken, "not used: tokens of outside services are not kept"),
    ):
        impersonal(model, why)


def _delete(rows: QuerySet[Any], person: Person) -> int:
    return int(rows.delete()[0])


def _forget(field: str) -> Callable[[QuerySet[Any], Person], int]:
    """The row stays, as it belongs to others too; the person is taken out of it."""
    return lambda rows, person: rows.update(**{field: None})


def _erase_person(rows: QuerySet[Person], person: Person) -> int:
    """The row stays without anything that tells who it was: others' things may hang on it."""
    return rows.update(
        given_name="", family_name="", preferred_name="", email=None, source_id="", password="!", is_active=False,
        last_login=None, erased_at=timezone.now(),
    )  # fmt: skip


def _erase_invitations(rows: QuerySet[Invitation], person: Person) -> int:
    """Those sent to them go; those sent by them lose the sender."""
    own = rows.filter(Q(accepted_by=person) | Q(email__iexact=person.email or "-"))
    return int(own.delete()[0]) + rows.filter(invited_by=person).update(invited_by=None)


def _declare_persons() -> None:
    declare(
        model=Person,
        what=gettext_lazy("Your name and email address"),
        why=gettext_lazy("So that colleagues know who you are and you can sign in"),
        how_long=DISTRICT,
        about=lambda person: Q(pk=person.pk),
        erase=_erase_person,
        describe=lambda person: person.full_name,
        author=lambda person: _("Your district, or you"),
        readers=lambda person: _("Staff of your district; of a student: who teaches or leads them"),
        export=lambda person: {
            "key": str(person.key),
            "email": person.email,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "preferred_name": person.preferred_name,
            "created_at": person.created_at.isoformat(),
            "source_id": person.source_id,
        },
        ends=gettext_lazy("When your district ends it, or you are erased"),
    )


def _dates(row: Membership | Enrollment) -> dict[str, str | None]:
    return {
        "begins_on": row.begins_on.isoformat() if row.begins_on else None,
        "ends_on": row.ends_on.isoformat() if row.ends_on else None,
    }


# Long, as a table is: what is declared of each kind, one below the other.
def _declare_belonging() -> None:
    declare(
        model=Membership,
        what=gettext_lazy("Your roles in schools and teams"),
        why=gettext_lazy("They decide what you may see and do"),
        how_long=DISTRICT,
        about=lambda person: Q(person=person),
        erase=_delete,
        describe=lambda held: f"{held.get_role_display()}, {held.organization}",
        author=lambda held: _("Your district's roster") if held.source_id else _("An administrator"),
        readers=lambda held: _("Staff of your district; of a student: who leads their school"),
        export=lambda held: {"role": held.role, "organization": held.organization.name, **_dates(held)},
        ends=gettext_lazy("Ended roles stay as a record of where you worked"),
    )
    declare(
        model=Enrollment,
        what=gettext_lazy("Sections that you teach or attend"),
        why=gettext_lazy("So that lessons have a section, and results a teacher"),
        how_long=DISTRICT,
        about=lambda person: Q(person=person),
        erase=_delete,
        describe=lambda enrolled: f"{enrolled.get_role_display()}, {enrolled.section}",
        author=lambda enrolled: _("Your district's roster") if enrolled.source_id else _("An administrator"),
        readers=lambda enrolled: _("Teachers of the section and who leads the school"),
        export=lambda enrolled: {"role": enrolled.role, "section": enrolled.section.title, **_dates(enrolled)},
        ends=gettext_lazy("Ended enrollments stay as a record of who taught whom"),
    )
    declare(
        model=Invitation,
        what=gettext_lazy("Invitations to you and from you"),
        why=gettext_lazy("So that links work once and it is known who invited whom"),
        how_long=ACCOUNT,
        about=lambda person: Q(email__iexact=person.email or "-") | Q(invited_by=person) | Q(accepted_by=person),
        erase=_erase_invitations,
        describe=lambda sent: f"{sent.get_role_display()}, {sent.organization}",
        author=lambda sent: sent.invited_by.full_name if sent.invited_by else _("somebody erased"),
        readers=lambda sent: _("Administrators of that place"),
        ends="expires_at",
    )
    declare(
        model=RosterImport,
        what=gettext_lazy("Rosters that you took in"),
        why=gettext_lazy("So that it is known who changed the tables"),
        how_long=DISTRICT,
        about=lambda person: Q(imported_by=person),
        erase=_forget("imported_by"),
        describe=lambda taken: taken.name,
        author=lambda taken: taken.imported_by.full_name if taken.imported_by else _("the host"),
        readers=lambda taken: _("Administrators of your district"),
        ends=gettext_lazy("Kept as the district's record; the file itself is removed once it is taken in"),
    )


def _declare_account() -> None:
    own: dict[str, Any] = {
        "how_long": ACCOUNT,
        "about": lambda person: Q(user=person.pk),
        "erase": _delete,
        "author": lambda row: _("You"),
        "readers": lambda row: _("Nobody but you"),
        "ends": gettext_lazy("When you remove it, or your account ends"),
    }
    declare(
        model=EmailAddress,
        what=gettext_lazy("Whether your email address is confirmed"),
        why=gettext_lazy("So that nobody signs in with an address that is not theirs"),
        describe=lambda address: address.email,
        **own,
    )
    declare(
        model=Authenticator,
        what=gettext_lazy("Your passkeys, authenticator app and recovery codes"),
        why=gettext_lazy("To sign in safely"),
        describe=lambda factor: str(factor.get_type_display()),
        **own,
    )
    declare(
        model=SocialAccount,
        what=gettext_lazy("Your account at your district's sign-in service"),
        why=gettext_lazy("To know you again when you sign in there"),
        describe=lambda account: str(account.provider),
        **own,
    )
    declare(
        model=UserSession,
        what=gettext_lazy("Where you are signed in: browser and network address"),
        why=gettext_lazy("So that you notice a sign-in that was not yours, and can end it"),
        describe=lambda session: f"{session.user_agent[:80]}, {session.ip}",
        **own,
    )
