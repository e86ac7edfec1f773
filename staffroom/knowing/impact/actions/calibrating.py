"""Every night: made-up activities on an organization's own results. About one in twenty should look as if it worked; if it is otherwise,
errors are told too small or too large there, and the pages say so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils import timezone

from staffroom import __version__
from staffroom.jobs.actions import report
from staffroom.knowing import frames
from staffroom.knowing.impact import asking, queries, summing
from staffroom.knowing.impact.actions.answering import uptake_of
from staffroom.knowing.impact.models import Calibration
from staffroom.people.models import Organization
from staffroom.records import lake
from staffroom.records.models import Activity, Instrument

if TYPE_CHECKING:
    from datetime import date

    import pyarrow

    from staffroom.measure.question import Question

DRAWS, LEAST_DRAWS = 400, 100
"""So many made-up activities, fewer where there are very many results: 400 tell 5 from 8 in a hundred."""
CELLS = 4_000_000


def calibrate_all() -> int:
    """Every organization with activities, on each of its instruments. Returns how many were made anew. Safe to run twice."""
    lake.refresh()
    state = queries.lake_state()
    activities = list(Activity.objects.select_related("organization").order_by("pk"))
    places: dict[Organization, list[Activity]] = {}
    for each in activities:
        places.setdefault(queries.scope_of(each), []).append(each)
    report(total=len(places))
    made = 0
    for number, (place, there) in enumerate(places.items()):
        report(done=number, message=place.name)
        made += sum(calibrate(place, each, there, state) for each in queries.instruments_for(place))
    report(done=len(places))
    return made


def calibrate(
    place: Organization, instrument: Instrument, activities: Sequence[Activity], state: list[tuple[str, str, str]]
) -> int:
    """Made-up activities that are as large and begin as the real ones do, on one instrument; kept by the hash of its input."""
    said = [__version__, place.path, str(instrument.key), sorted(str(each.key) for each in activities), state]
    sha256 = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    known = Calibration.objects.filter(organization=place, instrument=instrument)
    if known.filter(input_sha256=sha256).exists():
        return 0
    rejected, draws = _drawn(_questions(place, instrument, activities), int(sha256[:16], 16))
    if not draws:
        return known.delete()[0]
    Calibration.objects.update_or_create(
        organization=place, instrument=instrument,
        defaults={"input_sha256": sha256, "draws": draws, "rejected": rejected, "computed_at": timezone.now()},
    )  # fmt: skip
    return 1


def _questions(place: Organization, instrument: Instrument, activities: Sequence[Activity]) -> list[Question]:
    """What is really asked, activity by activity; those in which nobody took part tell nothing of how others would begin."""
    cells = frames.outcome_cells(place.path, str(instrument.key))
    found = (_question(place, instrument, activity, cells) for activity in activities) if cells.num_rows else ()
    return [each[0] for each in found if each is not None]


def question_about(activity: Activity, instrument: Instrument) -> tuple[Question, list[date]] | None:
    """The plain comparison over time of an activity, and the days on which its terms begin; None without results or people."""
    place = queries.scope_of(activity)
    cells = frames.outcome_cells(place.path, str(instrument.key))
    return _question(place, instrument, activity, cells) if cells.num_rows else None


def _question(
    place: Organization, instrument: Instrument, activity: Activity, cells: pyarrow.Table
) -> tuple[Question, list[date]] | None:
    terms = queries.terms_around(place)
    begun = summing.terms_with_outcomes(terms, cells.column("term_begins_on"))
    uptake = uptake_of([activity], place.path, terms)
    if not uptake.first_on:
        return None
    material = asking.Material(
        cells=cells, first_on=uptake.first_on, terms=begun, students=0, is_higher_better=instrument.is_higher_better
    )
    return asking.question_of(material), [term.begins_on for term in begun]


def _drawn(questions: Sequence[Question], seed: int) -> tuple[int, int]:
    """How many made-up activities were taken for real ones, and how many there were."""
    import numpy as np

    from staffroom.measure.calibration import rejection_rate

    rejected = draws = 0
    generator = np.random.default_rng(seed)
    for question in questions:
        cells, first = question.cells, question.first_treated
        if cells is None or first is None:
            continue
        most = min(DRAWS, max(LEAST_DRAWS, CELLS // len(cells.n)))
        found = rejection_rate(cells, first, generator, draws=max(1, most // len(questions)))
        if found.rate is not None:
            rejected, draws = rejected + round(found.rate * found.draws), draws + found.draws
    return rejected, draws
