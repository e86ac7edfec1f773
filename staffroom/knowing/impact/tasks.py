"""The deeds of this room, later. Each is safe to run twice."""

from __future__ import annotations

from django.tasks import task

from staffroom.knowing.impact import actions, queries
from staffroom.knowing.impact.actions import calibrating
from staffroom.knowing.impact.models import Lottery, Study
from staffroom.records.models import Activity


@task
def compute(activity_ids: list[int]) -> int:
    """Compute some activities anew, as far as their ledgers have changed."""
    found = Activity.objects.filter(pk__in=activity_ids).select_related("organization").order_by("name", "pk")
    return actions.compute_all(activities=list(found))


@task
def compute_changed() -> int:
    """Compute every activity whose ledgers have changed: every hour."""
    found = Activity.objects.select_related("organization").order_by("organization", "name", "pk")
    return actions.compute_all(activities=list(found))


@task
def answer_study(study_id: int) -> int:
    """Compute the answers to a study's versions anew, as far as their ledgers have changed."""
    return actions.answer_studies(studies=list(Study.objects.filter(pk=study_id)))


@task
def answer_registered() -> int:
    """The same for every study that is open: every hour."""
    return actions.answer_studies(studies=list(Study.objects.filter(versions__isnull=False).distinct()))


@task
def invite_due() -> int:
    """Invite those whose wave is near, and the next in line for seats that fell free: every hour."""
    return sum(actions.invite(lottery=each) for each in queries.drawn_lotteries())


@task
def tell_of_applications(lottery_id: int) -> int:
    """Tell the teachers whom a lottery concerns that they may ask for a seat."""
    return sum(actions.tell_of_applications(lottery=each) for each in Lottery.objects.filter(pk=lottery_id))


@task
def close_due() -> int:
    """Tell those who run a lottery that its time for asking is over: every hour."""
    return actions.tell_of_closing()


@task
def calibrate() -> int:
    """Try made-up activities on everybody's own results: every night."""
    return calibrating.calibrate_all()
