"""Every night made-up activities are tried on an organization's own results; the pages say when they come out too often."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from staffroom.knowing.impact import actions, queries
from staffroom.knowing.impact.actions import calibrating
from staffroom.knowing.impact.actions import evidence as deeds
from staffroom.knowing.impact.models import Calibration, Estimate
from staffroom.people.models import Organization
from staffroom.records.models import Instrument
from tests.impact.riverbend.conftest import Riverbend

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("impact")]


def test_made_up_activities_are_tried_once_for_the_same_results(
    riverbend: Riverbend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrating, "DRAWS", 45)
    monkeypatch.setattr(calibrating, "LEAST_DRAWS", 45)
    assert calibrating.calibrate_all() == 1
    found = Calibration.objects.get()
    assert (found.instrument, found.organization) == (riverbend.test, riverbend.district.organization)
    assert found.draws == 45, "15 made-up activities like each of the three real ones"
    assert found.rejected <= 9, "chance alone: far more would be a mistake in the errors"
    assert calibrating.calibrate_all() == 0, "the same results are not tried again"


def gate_of(riverbend: Riverbend) -> dict[str, object]:
    activity = riverbend.activities[0]
    estimate = queries.estimate_on(activity, riverbend.test)
    assert estimate is not None
    gates: list[dict[str, object]] = estimate.result["answer"]["gates"]
    return next(gate for gate in gates if gate["name"] == "calibration")


@pytest.mark.parametrize(("rejected", "passes"), [(20, True), (60, False)])
def test_what_came_of_them_stands_among_the_checks_of_every_activity(
    riverbend: Riverbend, rejected: int, passes: bool
) -> None:
    Calibration.objects.create(
        organization=riverbend.district.organization, instrument=riverbend.test, input_sha256="x", draws=400,
        rejected=rejected,
    )  # fmt: skip
    before = Estimate.objects.get(activity=riverbend.activities[0]).input_sha256
    actions.compute(activity=riverbend.activities[0], instrument=riverbend.test)
    assert Estimate.objects.get(activity=riverbend.activities[0]).input_sha256 != before, "the answer is made anew"
    assert gate_of(riverbend)["passed"] is passes


@pytest.mark.parametrize(("rejected", "is_off"), [(11, True), (12, False), (28, False), (29, True)])
def test_from_three_to_seven_in_a_hundred_is_well(rejected: int, is_off: bool) -> None:
    assert (
        Calibration(organization=Organization(), instrument=Instrument(), draws=400, rejected=rejected).is_off is is_off
    )


def test_sums_leave_only_when_switched_on_and_only_those_over_five_schools(riverbend: Riverbend) -> None:
    activity, denise = riverbend.activities[0], riverbend.denise
    with pytest.raises(ValidationError, match="switch that on"):
        deeds.give_sums(by=denise, activity=activity, instrument=riverbend.test)
    deeds.switch_sums(by=denise, activity=activity, is_on=True)
    # 60 teachers who begin in four terms: some of these groups stand on a few schools only.
    with pytest.raises(ValidationError, match="at least 5"):
        deeds.give_sums(by=denise, activity=activity, instrument=riverbend.test)
    for stranger in ("researcher", "stranger", "amara"):
        with pytest.raises(PermissionDenied):
            deeds.switch_sums(by=riverbend.someone(stranger), activity=activity, is_on=True)
