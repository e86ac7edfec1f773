"""A family's answer: the newest counts, none counts as no, and who may write it down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from staffroom.people.models import Enrollment, Section
from staffroom.permissions import actions, queries
from tests.cast import Cast


def test_the_newest_answer_counts_and_older_ones_stay(cast: Cast) -> None:
    actions.record_consent(by=cast.grace, student=cast.leo, answer="yes")
    actions.record_consent(by=cast.amara, student=cast.leo, answer="no")
    assert queries.consent_of(cast.leo) == "no"
    assert cast.leo.consents.count() == 2


def test_no_answer_and_an_answer_that_ended_are_unknown(cast: Cast) -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    actions.record_consent(by=cast.grace, student=cast.leo, answer="yes", ends_on=yesterday)
    assert queries.consent_of(cast.leo) == queries.consent_of(cast.mia) == "unknown"


def test_a_section_may_leave_the_school_only_when_every_family_said_yes(cast: Cast) -> None:
    for student in (cast.leo, cast.mia, cast.noah):
        actions.record_consent(by=cast.grace, student=student, answer="yes")
    actions.record_consent(by=cast.grace, student=cast.zoe, answer="in_school")
    found = queries.consents_in(cast.section)
    assert found.counts == {"yes": 3, "in_school": 1, "no": 0, "unknown": 0}
    assert not found.may_leave_school
    actions.record_consent(by=cast.grace, student=cast.zoe, answer="yes")
    assert queries.consents_in(cast.section).may_leave_school


def test_an_empty_section_may_not_leave_the_school(cast: Cast) -> None:
    empty = Section.objects.create(school=cast.alder, title="Nobody yet")
    assert not queries.consents_in(empty).may_leave_school


def test_a_student_who_left_the_section_does_not_count(cast: Cast) -> None:
    Enrollment.objects.filter(person=cast.zoe).update(ends_on=timezone.localdate() - timedelta(days=1))
    assert {student.first_name for student, _answer in queries.consents_in(cast.section).students} == {
        "Leo",
        "Mia",
        "Noah",
    }


@pytest.mark.parametrize("name", ["tom", "priya", "ben", "denise", "vera", "ruth", "mia"])
def test_others_may_not_write_consent_down(cast: Cast, name: str) -> None:
    with pytest.raises(PermissionDenied):
        actions.record_consent(by=getattr(cast, name), student=cast.leo, answer="yes")
    assert queries.consent_of(cast.leo) == "unknown"


def test_an_answer_that_does_not_exist_is_refused(cast: Cast) -> None:
    with pytest.raises(ValidationError):
        actions.record_consent(by=cast.grace, student=cast.leo, answer="perhaps")
