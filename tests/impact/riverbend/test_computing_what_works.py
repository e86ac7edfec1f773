"""Computing: cells as the ledgers have them, the estimate as `measure` gives it, made anew only when something has changed."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db.models import Count, Sum
from django.utils import timezone

from staffroom.home.demo.world import NEVER, TERMS
from staffroom.jobs.actions import claim, run_waiting
from staffroom.jobs.models import Job
from staffroom.knowing import frames
from staffroom.knowing.impact import actions, queries
from staffroom.knowing.impact.models import Estimate, Tally
from staffroom.measure.answering import answer
from staffroom.measure.moments import cells_from_sums
from staffroom.measure.question import Question
from staffroom.records import lake
from staffroom.records.actions import record
from staffroom.records.models import Cost, Instrument, Outcome, Statement
from staffroom.records.vocabulary import verbs
from tests.impact.riverbend.conftest import Riverbend

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("impact")]


def test_cells_from_the_lake_are_those_of_the_ledger(riverbend: Riverbend) -> None:
    found = frames.outcome_cells(riverbend.district.organization.path, str(riverbend.test.key)).to_pylist()
    expected: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    of_test = Outcome.objects.live().filter(instrument=riverbend.test)
    for teacher, school, begins, value in of_test.values_list(
        "teacher__key", "school__key", "term__begins_on", "value"
    ):
        expected[str(teacher), str(school), begins].append(value)
    assert {(row["teacher_key"], row["school_key"], row["term_begins_on"]): row["n"] for row in found} == {
        cell: len(values) for cell, values in expected.items()
    }
    for row in found:
        values = expected[row["teacher_key"], row["school_key"], row["term_begins_on"]]
        assert math.isclose(row["y_sum"], sum(values))
        assert math.isclose(row["y_sumsq"], sum(value * value for value in values))


def test_a_tally_adds_up_the_ledgers(riverbend: Riverbend) -> None:
    activity = riverbend.activities[1]
    said = Tally.objects.get(activity=activity).result
    entries = Statement.objects.live().filter(activity=activity, role="teacher")
    facts = entries.aggregate(teachers=Count("actor", distinct=True), seconds=Sum("duration_s"))
    assert said["teachers"] == facts["teachers"] == (riverbend.world.first_term[1] != NEVER).sum()
    assert said["hours"] == facts["seconds"] / 3600
    assert (
        said["costs"]["total"]
        == Cost.objects.live().filter(activity=activity).aggregate(all=Sum("amount_usd_cents"))["all"]
    )
    assert said["costs"]["per_teacher"] == round(said["costs"]["net"] / said["teachers"])
    assert sum(line["amount"] for line in said["costs"]["lines"]) == said["costs"]["total"]


def test_the_estimate_is_that_of_an_independent_computation(riverbend: Riverbend) -> None:
    """From the drawn world itself, which knows nothing of ledgers, lake or cells."""
    world, number = riverbend.world, 0
    columns: dict[str, list[float]] = defaultdict(list)
    for term in range(TERMS):
        for teacher in range(world.teachers):
            scores = world.scores[term][world.class_of[term // 2] == teacher]
            if len(scores):
                row = {
                    "teacher": teacher, "school": world.school_of_teacher[teacher], "term": term, "n": len(scores),
                    "y_sum": scores.sum(), "y_sumsq": (scores**2).sum(),
                }  # fmt: skip
                for name, value in row.items():
                    columns[name].append(value)
    cells = cells_from_sums(**{name: np.array(values) for name, values in columns.items()})
    first = world.first_term[number][cells.teachers.astype(int)]
    expected = answer(Question(cells=cells, first_treated=first), np.random.default_rng(0))
    kept = Estimate.objects.get(activity=riverbend.activities[number]).result["answer"]
    assert expected.effect is not None
    assert kept["estimator"] == expected.estimator == "imputation"
    assert math.isclose(kept["effect"]["sd"], expected.effect.sd, rel_tol=1e-9)
    assert math.isclose(kept["effect"]["se"], expected.effect.se, rel_tol=1e-9)
    assert kept["n"]["treated_teachers"] == expected.n.treated_teachers
    assert abs(kept["effect"]["sd"] - world.average_true_effect(number)) < 3 * kept["effect"]["se"]


def test_what_has_not_changed_is_not_computed_again(riverbend: Riverbend, written_lake: None) -> None:
    before = set(Estimate.objects.values_list("pk", "computed_at"))
    assert actions.compute_all(activities=riverbend.activities) == 0
    after = dict(Estimate.objects.values_list("pk", "computed_at"))
    assert all(after[pk] > then for pk, then in before)


def test_a_new_entry_makes_the_answer_new(riverbend: Riverbend) -> None:
    activity, teacher = riverbend.activities[1], riverbend.district.teachers[0]
    hours = Tally.objects.get(activity=activity).result["hours"]
    record(by=teacher, verb=verbs.ATTENDED, object=activity, duration_s=7200, role="teacher")
    assert queries.is_outdated(activity, riverbend.test, timezone.now() - timedelta(minutes=1))
    assert actions.compute_all(activities=[activity]) == 2
    assert Tally.objects.get(activity=activity).result["hours"] == hours + 2


def test_a_worker_that_vanished_leaves_nothing_half_done(
    riverbend: Riverbend, written_lake: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker dies after the first activity; another takes the job over when the lease has ended."""
    Estimate.objects.all().delete()
    Tally.objects.all().delete()
    job = actions.want(by=riverbend.denise, activities=riverbend.activities, about=riverbend.district.organization)
    assert (
        actions.want(by=riverbend.denise, activities=riverbend.activities, about=riverbend.district.organization) == job
    )
    claimed = claim("the one that dies")
    assert claimed == job
    actions.compute_all(activities=riverbend.activities[:1])
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    ran = run_waiting()
    assert [(each.pk, each.state) for each in ran] == [(job.pk, Job.State.DONE)]
    assert Tally.objects.count() == Estimate.objects.count() == len(riverbend.activities)


def test_where_lower_is_better_the_effect_is_turned_round(riverbend: Riverbend, written_lake: None) -> None:
    """The same results, read as errors: what was better is worse, by as much."""
    activity = riverbend.activities[0]
    better = Estimate.objects.get(activity=activity).result["answer"]
    Instrument.objects.filter(pk=riverbend.test.pk).update(is_higher_better=False)
    worse = actions.compute(activity=activity, instrument=Instrument.objects.get(pk=riverbend.test.pk))
    assert worse is not None
    found, sides = worse.result["answer"], [kept["details"]["sides"] for kept in (worse.result["answer"], better)]
    assert math.isclose(found["effect"]["sd"], -better["effect"]["sd"], rel_tol=1e-9)
    assert math.isclose(sides[0]["untreated"]["mean"], sides[1]["untreated"]["mean"], rel_tol=1e-9)
    assert not next(gate for gate in found["gates"] if gate["name"] == "separates_from_zero")["passed"]


def test_nothing_is_read_from_another_district(riverbend: Riverbend) -> None:
    elsewhere, key = riverbend.stranger.memberships.get().organization.path, str(riverbend.activities[0].key)
    assert frames.outcome_cells(elsewhere, str(riverbend.test.key)).num_rows == 0
    assert frames.participation(elsewhere, key).num_rows == frames.costs(elsewhere, key).num_rows == 0
    assert frames.students(elsewhere, str(riverbend.test.key)) == 0


def test_an_empty_lake_answers_with_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lake, "folder", lambda: tmp_path / "no lake")
    assert frames.outcome_cells("/1/", "x").column_names == list(frames.CELLS)
    assert frames.participation("/1/", "x").num_rows == frames.costs("/1/", "x").num_rows == 0
    assert frames.students("/1/", "x") == frames.students_taught("/1/", "x", {"y": date(2026, 1, 1)}) == 0


def test_reading_evaluation_results_is_impossible(riverbend: Riverbend) -> None:
    Instrument.objects.filter(pk=riverbend.test.pk).update(is_evaluation=True)
    assert not queries.instruments_for(riverbend.district.organization).exists()
