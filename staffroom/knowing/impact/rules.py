"""Who may see what works: leaders, administrators and researchers, of activities around their organizations. Sums only.

The same people ask questions as studies. Lotteries are run by leaders and administrators, who see who asks for a seat; every teacher
who asks sees her own place and how it was drawn.

Teachers, coaches and evaluators do not: growth is not evaluation (trust, rule 2), and sums over one's own colleagues are for
those who answer for them. What one may not see does not exist.
"""

from __future__ import annotations

from django.db.models import Q

from staffroom.frameworks.models import Element
from staffroom.knowing.impact.models import Applicant, Goal, Lottery, Offer, Study
from staffroom.people.models import Membership, Organization, Person, Role
from staffroom.people.rules import LEADERS, is_in, memberships_of, within
from staffroom.records.models import Activity
from staffroom.seeing.lessons.queries import coaches_of

ROLES = (Role.ADMINISTRATOR, Role.RESEARCHER, *LEADERS)


def may_see_what_works(viewer: object, activity: Activity) -> bool:
    """Whether the viewer leads, administers or studies the activity's organization, or one above or below it."""
    path = activity.organization.path
    return any(
        held.role in ROLES and (path.startswith(held.organization.path) or held.organization.path.startswith(path))
        for held in memberships_of(viewer)
    )


def what_works_seeable_by(viewer: object) -> Q:
    """The same for many activities."""
    around = Q(pk__in=[])
    for held in memberships_of(viewer):
        if held.role in ROLES:
            around |= Q(organization__path__startswith=held.organization.path)
            around |= Q(organization__in=held.organization.ancestor_pks)
    return around


def has_what_works(viewer: object) -> bool:
    """Whether "What works" is a place for somebody at all."""
    return any(held.role in ROLES for held in memberships_of(viewer))


# --- Studies -------------------------------------------------------------------------------------------------------------------


def may_see_study(viewer: object, study: Study) -> bool:
    """Whether the viewer leads, administers or studies the organization that asks, or one above or below it."""
    path = study.organization.path
    return any(
        held.role in ROLES and (path.startswith(held.organization.path) or held.organization.path.startswith(path))
        for held in memberships_of(viewer)
    )


def studies_seeable_by(viewer: object) -> Q:
    """The same for many studies."""
    return what_works_seeable_by(viewer)


def may_run_studies(person: object, organization: Organization) -> bool:
    """Leaders, administrators and researchers of an organization ask, register and close its studies."""
    return is_in(person, organization, *ROLES)


def may_run_study(person: object, study: Study) -> bool:
    return may_run_studies(person, study.organization)


def studies_runnable_at(person: object) -> Q:
    """Organizations whose studies the person runs."""
    return within(person, *ROLES)


# --- Lotteries -----------------------------------------------------------------------------------------------------------------

RUNNERS = (Role.ADMINISTRATOR, *LEADERS)
"""Who runs lotteries, and so sees the names of those who ask for a seat."""


def may_run_lottery(person: object, lottery: Lottery) -> bool:
    """Leaders and administrators of the organization whose lottery it is. They see names."""
    return is_in(person, lottery.organization, *RUNNERS)


def lotteries_runnable_by(person: object) -> Q:
    """The same for many lotteries."""
    found = Q(pk__in=[])
    for held in memberships_of(person):
        if held.role in RUNNERS:
            found |= Q(organization__path__startswith=held.organization.path)
    return found


def lotteries_runnable_at(person: object) -> Q:
    """Organizations whose lotteries the person runs."""
    return within(person, *RUNNERS)


def may_see_lottery(viewer: object, lottery: Lottery) -> bool:
    """Who runs it; who asked for a seat and, once it is open to them, the teachers of its organization: these see their own place
    and the procedure, never another's name."""
    if not isinstance(viewer, Person) or not viewer.is_active:
        return False
    if may_run_lottery(viewer, lottery) or may_ask_for_seat(viewer, lottery):
        return True
    return lottery.applicants.filter(person=viewer).exists()


def lotteries_seeable_by(viewer: object) -> Q:
    """The same for many lotteries."""
    if not isinstance(viewer, Person) or not viewer.is_active or viewer.pk is None:
        return Q(pk__in=[])
    own = Applicant.objects.filter(person=viewer).order_by().values("lottery")
    return lotteries_runnable_by(viewer) | lotteries_open_to(viewer) | Q(pk__in=own)


def is_called(held: Membership, organization: Organization) -> bool:
    """Whether a membership makes somebody a teacher of an organization: there or below it."""
    return held.role == Role.TEACHER and held.organization.path.startswith(organization.path)


def may_ask_for_seat(person: object, lottery: Lottery) -> bool:
    """The teachers of the organization, once the lottery was opened to them; until when, its days say."""
    if lottery.opened_at is None:
        return False
    return any(is_called(held, lottery.organization) for held in memberships_of(person))


def lotteries_open_to(person: object) -> Q:
    """The same for many lotteries."""
    around = places_taught_at(person)
    return Q(opened_at__isnull=False, organization__in=around) if around else Q(pk__in=[])


def places_taught_at(person: object) -> set[int]:
    """The organizations at which somebody teaches, and all above them."""
    taught = (held for held in memberships_of(person) if held.role == Role.TEACHER)
    return {pk for held in taught for pk in held.organization.ancestor_pks}


def has_seats(person: object) -> bool:
    """Whether "Seats by lot" is a place for somebody: who teaches and may ask, and who runs lotteries."""
    return any(held.role == Role.TEACHER or held.role in RUNNERS for held in memberships_of(person))


def may_answer_offer(person: object, offer: Offer) -> bool:
    """The teacher to whom the seat is offered, and for her those who run the lottery."""
    if not isinstance(person, Person) or not person.is_active:
        return False
    return offer.applicant.person_id == person.pk or may_run_lottery(person, offer.applicant.lottery)


def runs_lotteries(person: object) -> bool:
    return any(held.role in RUNNERS for held in memberships_of(person))


# --- Growth --------------------------------------------------------------------------------------------------------------------


def has_growth(person: object) -> bool:
    """Whether "My growth" is a place for somebody: who teaches, coaches or mentors. Each sees her own alone."""
    return any(held.role in (Role.TEACHER, Role.COACH, Role.MENTOR) for held in memberships_of(person))


def may_coach_somebody(person: object) -> bool:
    return any(held.role in (Role.COACH, Role.MENTOR) for held in memberships_of(person))


def may_coach(coach: Person, teacher: Person) -> bool:
    """Whether somebody coaches or mentors at an organization around a teacher."""
    return coach.pk != teacher.pk and coaches_of(teacher).filter(pk=coach.pk).exists()


def may_note_standing(person: Person, teacher: Person, element: Element) -> bool:
    """The teacher herself in whatever she may read; a coach where she lets him see her goal, as long as he coaches there."""
    if person.pk == teacher.pk:
        return True
    shown = Goal.objects.filter(person=teacher, element=element, coach=person, ended_at=None).exists()
    return shown and may_coach(person, teacher)


def may_see_sites(viewer: object, scope: Organization) -> bool:
    """Whether schools are named to the viewer in what works: those who lead or administer the whole of what is compared."""
    named = (Role.ADMINISTRATOR, *LEADERS)
    return any(held.role in named and scope.path.startswith(held.organization.path) for held in memberships_of(viewer))


# --- Evidence between organizations ---------------------------------------------------------------------------------------------


def may_take_in_evidence(person: object, activity: Activity) -> bool:
    """Leaders, administrators and researchers of an activity's organization hold others' evidence beside their own."""
    return is_in(person, activity.organization, *ROLES)


def may_hand_on_evidence(person: object, organization: Organization) -> bool:
    """What leaves an organization, its district leaders and administrators hand on."""
    return is_in(person, organization, Role.ADMINISTRATOR, Role.DISTRICT_LEADER)
