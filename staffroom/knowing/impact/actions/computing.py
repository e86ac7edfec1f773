"""Computing what works from the ledgers, and having it computed. Answers are kept; only those whose input changed are made anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from staffroom import __version__
from staffroom.jobs.actions import later, report
from staffroom.jobs.models import Job
from staffroom.knowing import frames
from staffroom.knowing.impact import asking, likeness, practice, queries, studying, summing
from staffroom.knowing.impact.actions.together import see_together
from staffroom.knowing.impact.hiding import shown
from staffroom.knowing.impact.keeping import kept
from staffroom.knowing.impact.models import Estimate, Tally
from staffroom.knowing.impact.queries.evidence import placebos_at
from staffroom.knowing.impact.queries.practice import practice_measures
from staffroom.people.models import Organization, Person
from staffroom.records import lake
from staffroom.records.models import Activity, Instrument

if TYPE_CHECKING:
    from datetime import datetime

METHOD = 7
"""Raised whenever the same input would give another answer."""
BREATHER = timedelta(minutes=5)
"""How long an answer is good enough although new entries keep arriving."""


def compute_all(*, activities: Sequence[Activity]) -> int:
    """Bring the lake up to date, then each activity's tally and its estimate on each instrument; reports how far it is.

    Returns how many answers were made anew. Safe to run twice and to be killed: each answer is kept as soon as it is there.
    """
    started = timezone.now()
    report(message=_("Reading the ledgers"), total=len(activities))
    lake.refresh()
    state = queries.lake_state()
    made = 0
    for number, activity in enumerate(activities):
        report(done=number, message=activity.name)
        made += _Computation(activity, state, started).run()
    for scope in {queries.scope_of(activity) for activity in activities}:
        see_together(scope)
    report(done=len(activities))
    return made


def compute(*, activity: Activity, instrument: Instrument) -> Estimate | None:
    """One estimate from the lake as it is; None if the instrument has no results there."""
    _Computation(activity, queries.lake_state(), timezone.now()).estimate(instrument)
    return queries.estimate_on(activity, instrument)


def want(*, by: Person, activities: Iterable[Activity], about: Activity | Organization) -> Job:
    """Have activities computed by a worker, unless that is under way already. Returns the job."""
    running = queries.running_job(about)
    if running is not None and not running.is_finished:
        return running
    # Tasks call actions, so actions know them by name only.
    task = import_string("staffroom.knowing.impact.tasks.compute")
    wanted = [each.pk for each in activities]
    return later(task, by=by, about=about, label=_("What works"), retries=3, activity_ids=wanted)


class _Computation:
    """The answers about one activity: gathers what they share, and leaves alone what is already true."""

    def __init__(self, activity: Activity, state: list[tuple[str, str, str]], started: datetime) -> None:
        self.activity, self.state, self.started = activity, state, started
        self.scope = queries.scope_of(activity)
        self.terms = queries.terms_around(self.scope)
        self._uptake: summing.Uptake | None = None

    def run(self) -> int:
        made = self.tally()
        for instrument in queries.instruments_for(self.scope):
            made += self.estimate(instrument)
        return made

    @property
    def uptake(self) -> summing.Uptake:
        if self._uptake is None:
            rows = frames.participation(self.scope.path, str(self.activity.key))
            self._uptake = summing.read_uptake(rows, self.terms)
        return self._uptake

    def tally(self) -> int:
        """Add up participation and costs, if anything has changed. Returns how many answers were made anew."""
        now = queries.teachers_now(self.activity)
        sha256 = self._hash("tally", len(now))
        if Tally.objects.filter(activity=self.activity, input_sha256=sha256).update(computed_at=self.started):
            return 0
        costs = frames.costs(self.scope.path, str(self.activity.key))
        result = summing.add_up(self.uptake, costs, self.terms.values(), now)
        Tally.objects.update_or_create(
            activity=self.activity, defaults={"input_sha256": sha256, "result": result, "computed_at": self.started}
        )
        return 1

    def estimate(self, instrument: Instrument) -> int:
        """Estimate the effect on one instrument, if anything has changed. Returns how many answers were made anew."""
        placebos = sorted(placebos_at(self.scope, instrument).items())
        sha256 = self._hash("estimate", str(instrument.key), instrument.is_higher_better, placebos)
        known = Estimate.objects.filter(organization=self.scope, activity=self.activity, instrument=instrument)
        if known.filter(input_sha256=sha256).update(computed_at=self.started):
            return 0
        result = self._answer(instrument)
        if result is None:
            return known.delete()[0]
        Estimate.objects.update_or_create(
            organization=self.scope, activity=self.activity, instrument=instrument,
            defaults={
                "input_sha256": sha256, "summary": studying.summary_of(result), "result": result,
                "computed_at": self.started,
            },
        )  # fmt: skip
        return 1

    def asked(self, instrument: Instrument) -> tuple[studying.Question, asking.Material, int | None] | None:
        """What is asked about one instrument, all that the answer is made of, and how many students were taught; None without
        results."""
        path, key = self.scope.path, str(instrument.key)
        cells = frames.outcome_cells(path, key)
        if not cells.num_rows:
            return None
        question = studying.Question(
            cells=cells, first_on=self.uptake.first_on, terms=summing.terms_with_outcomes(self.terms, cells.column("term_begins_on")),
            students=frames.students(path, key), is_higher_better=instrument.is_higher_better,
        )  # fmt: skip
        taught = self._students_taught(question, path, key)
        return question, self._material(question, path, taught, placebos_at(self.scope, instrument)), taught

    def _answer(self, instrument: Instrument) -> dict[str, Any] | None:
        import numpy as np

        from staffroom.measure import answering

        ground = self.asked(instrument)
        if ground is None:
            return None
        question, material, taught = ground
        generator = np.random.default_rng(studying.seed_of(question))
        asked = asking.question_of(material)
        found = practice.beside(
            answering.answer(asked, generator), asked, material, practice_measures(self.scope), generator
        )
        answer = kept(found, is_higher_better=question.is_higher_better)
        like = likeness.by_group(answer)
        return {**studying.ground_of(question), "students_taught": taught, "answer": answer, "likeness": like}

    def _material(
        self, question: studying.Question, path: str, students_taught: int | None, placebos: dict[str, Any]
    ) -> asking.Material:
        """The same question with hours and costs: an exploratory look at all there is."""
        ingredients = frames.ingredients(path, str(self.activity.key)).to_pylist()
        return asking.Material(
            cells=question.cells, first_on=question.first_on, terms=question.terms, students=question.students,
            is_higher_better=question.is_higher_better,
            seconds=self.uptake.teacher_seconds(until=question.terms[-1].begins_on),
            planned_hours=float(self.activity.planned_hours or 0) or None, ingredients=ingredients,
            students_taught=students_taught or 0, families=likeness.families_of(question.first_on), **placebos,
        )  # fmt: skip

    def _students_taught(self, question: studying.Question, path: str, key: str) -> int | None:
        """How many students with results had a teacher who took part by then; nothing where they are few."""
        starts = {who: studying.first_term(day, question.terms) for who, day in question.first_on.items()}
        first_days = {who: question.terms[first].begins_on for who, first in starts.items() if first >= 0}
        return shown(frames.students_taught(path, key, first_days))

    def _hash(self, *more: object) -> str:
        terms = sorted(
            (term.begins_on.isoformat(), term.ends_on.isoformat(), term.name) for term in self.terms.values()
        )
        said = [METHOD, __version__, str(self.activity.key), self.scope.path, terms, self.state, *more]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()
