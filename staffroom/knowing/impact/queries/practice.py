"""Which ratings of teachers may be asked whether practice changed (trust, rules 2, 3, 11 and 13)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from staffroom.people.models import Organization
from staffroom.records.models import Instrument, Outcome

if TYPE_CHECKING:
    import pyarrow


def practice_instruments(scope: Organization) -> QuerySet[Instrument]:
    """Rubrics with results of teachers themselves in a part of the tree. None that evaluates staff, no test, no survey."""
    around = Q(organization__path__startswith=scope.path) | Q(organization__in=scope.ancestor_pks)
    inside = Q(school__path__startswith=scope.path) | Q(school=None, organization__path__startswith=scope.path)
    ratings = Outcome.objects.live().filter(inside, instrument=OuterRef("pk"), subject=Outcome.Subject.TEACHER)
    found = Instrument.objects.filter(around, Exists(ratings), kind=Instrument.Kind.RUBRIC, is_evaluation=False)
    return found.order_by("name", "pk")


def practice_measures(scope: Organization) -> Iterator[tuple[str, bool, pyarrow.Table]]:
    """Each with its name, whether higher is better, and its ratings from the lake: for sums, never to be shown."""
    from staffroom.knowing.frames.ratings import ratings

    for each in practice_instruments(scope):
        yield each.name, each.is_higher_better, ratings(scope.path, str(each.key))


def newer_ratings(scope: Organization, since: datetime) -> QuerySet[Any, Any]:
    """Ratings that an answer of a certain moment cannot know of, as primary keys."""
    measures = practice_instruments(scope).order_by().values("pk")
    late = Outcome.objects.filter(subject=Outcome.Subject.TEACHER, stored_at__gte=since, instrument__in=measures)
    return late.order_by().values("pk")
