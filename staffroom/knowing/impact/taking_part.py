"""How many of some teachers take part: as it was stated, as the ledger and the lotteries count them, or assumed; and which of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from staffroom.knowing import frames
from staffroom.knowing.impact.hiding import SMALLEST, is_small
from staffroom.knowing.impact.models import Applicant
from staffroom.people.models import Organization, Role
from staffroom.records.models import Activity
from staffroom.ui import numbers

ASSUMED = 0.5
"""Of the teachers, where nothing else is known: the share at which a comparison shows most."""


@dataclass(frozen=True)
class Takers:
    """How many are reckoned with, and where the number is from."""

    count: int
    said: str


def takers(
    place: Organization, activities: Sequence[Activity], teachers: Sequence[UUID], share_percent: int | None
) -> Takers:
    """Of these teachers, by key. A stated share goes first; a count of fewer than five is told as such, and not reckoned with."""
    whole = len(teachers)
    if share_percent is not None:
        said = _("Reckoned with %(share)d of a hundred teachers taking part, as stated.") % {"share": share_percent}
        return Takers(round(whole * share_percent / 100), said)
    counted = len(begun_or_asked(place, activities) & {str(key) for key in teachers})
    if counted and not is_small(counted):
        left = whole - counted
        said = ngettext(
            "Reckoned with the %(count)s teacher who has begun or signed up.",
            "Reckoned with the %(count)s teachers who have begun or signed up.", counted,
        ) % {"count": numbers.count(counted)}  # fmt: skip
        if not is_small(left):
            return Takers(counted, said)
        few = _("Fewer than %(count)d are left to compare them with.") % {"count": SMALLEST}
        return Takers(whole, _("Nearly all have begun or signed up.") + " " + few)
    half = _("Assumed: half of these teachers take part, and half do not. State how many are meant to, if you know.")
    if counted:
        half = _("Fewer than %(count)d have begun or signed up so far.") % {"count": SMALLEST} + " " + half
    return Takers(round(whole * ASSUMED), half)


def begun_or_asked(place: Organization, activities: Sequence[Activity]) -> set[str]:
    """Keys of teachers with entries of any of some activities, as of when the lake was written last, and of those in their lotteries."""
    found: set[str] = set()
    for activity in activities:
        rows = frames.participation(place.path, str(activity.key)).to_pylist()
        found |= {row["actor_key"] for row in rows if row["role"] == Role.TEACHER}
    asked = Applicant.objects.filter(lottery__activity__in=activities, withdrawn_at=None, person__isnull=False)
    return found | {str(key) for key in asked.order_by().values_list("person__key", flat=True)}
