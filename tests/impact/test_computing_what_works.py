"""Computing: cells as the ledgers have them, the estimate as `measure` gives it, made anew only when something has changed."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from django.db.models import Count, Sum

from staffroom.home.demo.world import NEVER, TERMS
from staffroom.knowing import frames
from staffroom.knowing.impact import actions, queries
from staffroom.knowing.impact.models import Estimate, Tally
from staffroom.measure.study import estimate
from staffroom.records.models import Cost, Outcome, Statement
from tests.impact.conftest import Riverbend

pytestmark = pytest.mark.django_db


def test_cells_from_the_lake_are_those_of_the_ledger(riverbend: Riverbend) -> None:
    found = frames.outcome_cells(riverbend.district.organization.path, str(riverbend.test.key)).to_pylist()
    expected: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for teacher, school, begins, value in Outcome.objects.live().values_list(
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
    actions.compute_all(activities=[activity])
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
                    "y_sum": scores.sum(), "y_sumsq": (scores**2).sum(), "first_treated": world.first_term[number][teacher],
                }  # fmt: skip
                for name, value in row.items():
                    columns[name].append(value)
    expected = estimate(**{name: np.array(values) for name, values in columns.items()})
    actions.compute_all(activities=[riverbend.activities[number]])
    study = Estimate.objects.get(activity=riverbend.activities[number]).result["study"]
    assert expected.effect is not None
    assert study["estimator"] == "imputation"
    assert math.isclose(study["effect"]["sd"], expected.effect.sd, rel_tol=1e-9)
    assert math.isclose(study["effect"]["se"], expected.effect.se, rel_tol=1e-9)
    assert study["n"]["treated_teachers"] == expected.n.treated_teachers
    assert abs(study["effect"]["sd"] - world.average_true_effect(number)) < 3 * study["effect"]["se"]


def test_what_has_not_changed_is_not_computed_again(riverbend: Riverbend) -> None:
    assert actions.compute_all(activities=riverbend.activities) == 2 * len(riverbend.activities)
    before = dict(Estimate.objects.values_list("pk", "computed_at"))
    assert actions.compute_all(activities=riverbend.activities) == 0
    assert all(
        then < now
        for then, now in zip(before.values(), Estimate.objects.order_by("pk").values_list("computed_at", flat=True))
    )
