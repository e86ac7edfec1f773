"""How a study will be compared, as far as it can be said before its results are there. The data decide in the end."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from staffroom.knowing.impact.models import Study
from staffroom.measure.deciding import EXPLAINED, LEAST_TERMS, LEAST_TREATED_TEACHERS
from staffroom.people.models import Term
from staffroom.records.models import Outcome


def road_ahead(study: Study) -> list[str]:
    """The roads of the tree that are open to a study, in the order in which they are tried; one query."""
    found = []
    if study.lottery_id:
        found.append(
            _("A lottery decided: those drawn first are compared with those who wait, whether they came or not.")
        )
    if study.rule:
        found.append(
            _(
                "A cutoff decided: teachers just on one side are compared with those just on the other, if at least %(share)d of a "
                "hundred on either side do as the rule says."
            )
            % {"share": round(100 * EXPLAINED)}
        )
    if study.estimator and not found:
        found.append(
            _("Asked for: %(way)s. If the data cannot bear it, they decide.") % {"way": study.get_estimator_display()}
        )
    return [*found, *_otherwise(study, is_first=not found)]


def _otherwise(study: Study, *, is_first: bool) -> list[str]:
    before, within = _terms(study)
    few = _("If fewer than %(count)d teachers take part: single cases, or nothing but a description.") % {
        "count": LEAST_TREATED_TEACHERS}  # fmt: skip
    if before + within >= LEAST_TERMS:
        said = _(
            "Each teacher before and after she began, against those who have not begun: there will be %(terms)d terms with results."
        )
        return [("" if is_first else _("Otherwise:") + " ") + said % {"terms": before + within}, few]
    if before:
        said = _("Teachers who take part against others, made alike by their students' scores from the term before.")
    else:
        said = _(
            "No term before has results of this instrument: if everybody takes part, more hours against fewer; else a description."
        )
    return [("" if is_first else _("Otherwise:") + " ") + said, few]


def _terms(study: Study) -> tuple[int, int]:
    """Terms before its time with results of students, and terms of its time."""
    place = study.organization
    inside = Q(school__path__startswith=place.path) | Q(school=None, organization__path__startswith=place.path)
    results = Outcome.objects.live().filter(
        inside,
        instrument=study.instrument_id,
        term=OuterRef("pk"),
        subject=Outcome.Subject.STUDENT,
        teacher__isnull=False,
    )
    around = Q(organization__path__startswith=place.path) | Q(organization__in=place.ancestor_pks)
    own = Q(ends_on__gte=study.outcomes_from, begins_on__lte=study.outcomes_until)
    known = Term.objects.filter(around).filter(own | Q(Exists(results), ends_on__lt=study.outcomes_from))
    days = set(known.values_list("begins_on", "ends_on"))
    before = {begins for begins, ends in days if ends < study.outcomes_from}
    return len(before), len({begins for begins, _ends in days} - before)
