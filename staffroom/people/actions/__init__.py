"""The deeds of this room."""

from staffroom.people.actions.bulk import bulk_enrollments, bulk_people, bulk_sections, bulk_students
from staffroom.people.actions.invitations import (
    InvitationGone,
    invitation_by,
    invite,
    join,
    join_anew,
    withdraw_invitation,
)
from staffroom.people.actions.memberships import end_membership, give_role
from staffroom.people.actions.organizations import make_organization, move_organization, rename_organization
from staffroom.people.actions.rosters import break_off, import_roster, receive_roster, take_roster

__all__ = [
    "InvitationGone",
    "break_off",
    "bulk_enrollments",
    "bulk_people",
    "bulk_sections",
    "bulk_students",
    "end_membership",
    "give_role",
    "import_roster",
    "invitation_by",
    "invite",
    "join",
    "join_anew",
    "make_organization",
    "move_organization",
    "receive_roster",
    "rename_organization",
    "take_roster",
    "withdraw_invitation",
]
