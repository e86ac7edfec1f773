"""Studies: what was registered stays, whether it came before the results is computed, and the answer follows by itself."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from staffroom.knowing.impact import actions, queries, rules
from staffroom.knowing.impact.models import Study, StudyVersion
from staffroom.knowing.impact.models.frozen import IsFrozen
from staffroom.people.models import Term
from staffroom.records.actions import Result, make_activity, make_instrument, record_outcome
from staffroom.records.models import Statement
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(cast: Cast) -> dict[str, Any]:
    """What Denise asks about next year."""
    activity = make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="coaching")
    test = make_instrument(by=cast.denise, organization=cast.district, name="District math", kind="test")
    return {
        "organization": cast.district, "activities": [activity], "name": "Does coaching work?", "decision": "Coaching for all, or none.",
        "instrument": test, "outcomes_from": cast.term.begins_on, "outcomes_until": cast.next_term.ends_on, "smallest_effect": 0.1,
    }  # fmt: skip


@pytest.fixture
def study(cast: Cast, asked: dict[str, Any]) -> Study:
    return actions.start_study(by=cast.denise, **asked)


def changed(asked: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if name != "organization"} | more


def result_of(cast: Cast, study: Study, term: Term) -> None:
    said = Result(subject="student", term_id=term.pk, value=60.0, person_id=cast.leo.pk, teacher_id=cast.amara.pk,
                  school_id=cast.alder.pk)  # fmt: skip
    record_outcome(by=cast.denise, instrument=study.instrument, result=said)


def test_registering_freezes_hashes_and_dates_what_is_asked(cast: Cast, study: Study) -> None:
    version = actions.register_study(by=cast.denise, study=study)
    assert version.sha256 == hashlib.sha256(version.text.encode()).hexdigest()
    assert version.text == json.dumps(version.protocol, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert version.protocol["smallest_effect_sd"] == 0.1
    assert version.is_intact
    entry = Statement.objects.get(verb__endswith="registered")
    assert version.sha256 in entry.body["result"]["response"]


def test_a_registered_version_cannot_be_changed(cast: Cast, study: Study) -> None:
    version = actions.register_study(by=cast.denise, study=study)
    for change in (
        version.save, version.delete, lambda: StudyVersion.objects.update(text="{}"), lambda: StudyVersion.objects.all().delete(),
        lambda: StudyVersion.objects.take_person_out(text=None),
    ):  # fmt: skip
        with pytest.raises(IsFrozen):
            change()


def test_a_change_is_another_version_that_says_why_and_names_the_one_before(
    cast: Cast, study: Study, asked: dict[str, Any]
) -> None:
    first = actions.register_study(by=cast.denise, study=study)
    with pytest.raises(ValidationError, match="Nothing has changed"):
        actions.register_study(by=cast.denise, study=study, reason="again")
    actions.change_study(by=cast.denise, study=study, **changed(asked, smallest_effect=0.2))
    with pytest.raises(ValidationError, match="why"):
        actions.register_study(by=cast.denise, study=study)
    second = actions.register_study(by=cast.denise, study=study, reason="The budget was cut.")
    assert (second.number, second.protocol["previous_sha256"]) == (2, first.sha256)
    found = queries.differences(first.protocol, second.protocol)
    assert [(each.before, each.after) for each in found] == [("0.10 SD", "0.20 SD")]


def test_it_was_registered_in_time_only_if_no_result_of_its_time_was_there(
    cast: Cast, study: Study, asked: dict[str, Any]
) -> None:
    before = Term.objects.create(
        organization=cast.district,
        name="Spring 2026",
        begins_on=date(2026, 1, 10),
        ends_on=date(2026, 6, 10),
        school_year=2026,
    )
    result_of(cast, study, before)
    first = actions.register_study(by=cast.denise, study=study)
    assert queries.is_registered(first)
    result_of(cast, study, cast.term)
    assert queries.is_registered(first)
    actions.change_study(by=cast.denise, study=study, **changed(asked, smallest_effect=0.3))
    second = actions.register_study(by=cast.denise, study=study, reason="Seen and changed.")
    assert not queries.is_registered(second)
    assert queries.is_registered(first)


def test_who_asks_runs_it_and_others_around_see_it(cast: Cast, study: Study, asked: dict[str, Any]) -> None:
    for name, person in cast.people.items():
        sees = rules.may_see_study(person, study)
        assert (study in Study.objects.filter(rules.studies_seeable_by(person))) == sees, name
        assert sees == (name in ("denise", "omar", "ines", "rafael", "grace")), name
        if name not in ("denise", "omar", "ines", "rafael"):
            for deed in (
                lambda by=person: actions.register_study(by=by, study=study),
                lambda by=person: actions.change_study(by=by, study=study, **changed(asked)),
                lambda by=person: actions.close_study(by=by, study=study, end="decided", decision_taken="x"),
                lambda by=person: actions.start_study(by=by, **asked),
            ):  # fmt: skip
                with pytest.raises(PermissionDenied):
                    deed()


def test_a_study_is_closed_with_its_decision_and_then_stays(cast: Cast, study: Study, asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="what was decided"):
        actions.close_study(by=cast.denise, study=study, end="decided", decision_taken=" ")
    actions.close_study(by=cast.denise, study=study, end="withdrawn", decision_taken="The program ended.")
    for deed in (
        lambda: actions.register_study(by=cast.denise, study=study),
        lambda: actions.change_study(by=cast.denise, study=study, **changed(asked)),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match="closed"):
            deed()


def test_results_of_evaluation_are_not_used(cast: Cast, asked: dict[str, Any]) -> None:
    asked["instrument"].is_evaluation = True
    asked["instrument"].save()
    with pytest.raises(ValidationError, match="evaluation"):
        actions.start_study(by=cast.denise, **asked)
