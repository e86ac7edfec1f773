"""What an activity's answer was computed from, as files, so that `staffroom study run` gives the same figures elsewhere.

No list of results leaves: for each teacher and term there are as many rows as there were results, with the same mean and the same
spread, and that is all that the answer knows of them. Teachers and schools are numbers.
"""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from staffroom.knowing.impact import asking, studying
from staffroom.knowing.impact.actions.carrying_questions import archived, as_toml
from staffroom.knowing.impact.actions.computing import _Computation
from staffroom.records.models import Activity, Instrument


def study_as_files(*, activity: Activity, instrument: Instrument, answer: str) -> bytes | None:
    """A ZIP with STUDY.toml, outcomes.csv, costs.csv and the answer as JSON; None if there are no results.

    Groups of teachers by what is known of them are left out. Refuses nobody: the view does.
    """
    found = _Computation(activity, [], timezone.now()).asked(instrument)
    if found is None:
        return None
    asked, material, _taught = found
    question = replace(asking.question_of(material), subgroups=())
    said = {"question": activity.name, "outcome": {"name": instrument.name}, "decision": ""}
    toml = as_toml(question, said, material, studying.seed_of(asked))
    return archived(question, material, toml, {"answer.json": answer})
