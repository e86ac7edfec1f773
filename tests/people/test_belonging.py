"""Who holds which role where, and who sees whom: one rule, two readings."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from staffroom.people import queries, rules
from staffroom.people.models import Enrollment, Membership, Organization, Person, Role, Section
from tests.cast import Cast


def names(people: object) -> set[str]:
    return {person.given_name for person in people}  # type: ignore[attr-defined]


def test_a_role_holds_below_its_organization_and_not_beside_or_above(cast: Cast) -> None:
    assert queries.is_in(cast.omar, cast.alder, Role.ADMINISTRATOR)
    assert queries.is_in(cast.grace, cast.alder, Role.SCHOOL_LEADER)
    assert not queries.is_in(cast.grace, cast.birch)
    assert not queries.is_in(cast.grace, cast.district)
    assert not queries.is_in(cast.omar, cast.other_district)
    assert not queries.is_in(AnonymousUser(), cast.alder)


def test_an_ended_or_future_membership_does_not_count(cast: Cast) -> None:
    today = timezone.localdate()
    held = cast.grace.memberships.get()
    for begins_on, ends_on, counts in (
        (None, today, False),
        (None, today + timedelta(1), True),
        (today, None, True),
        (today + timedelta(1), None, False),
    ):
        held.begins_on, held.ends_on = begins_on, ends_on
        held.save()
        assert bool(queries.memberships_of(Person.objects.get(pk=cast.grace.pk))) is counts


def test_saving_a_membership_is_seen_by_the_person_at_hand(cast: Cast) -> None:
    assert not rules.may_lead(cast.tom, cast.alder)
    Membership.objects.create(person=cast.tom, organization=cast.alder, role=Role.SCHOOL_LEADER)
    assert rules.may_lead(cast.tom, cast.alder)


def test_everybody_has_the_district_they_are_in(cast: Cast) -> None:
    assert queries.district_of(cast.amara) == cast.district
    assert queries.district_of(cast.denise) == cast.district
    assert queries.district_of(cast.vera) == cast.other_district
    assert queries.district_of(AnonymousUser()) is None


def test_administrators_see_everybody_of_their_district_and_nobody_of_another(cast: Cast) -> None:
    assert names(queries.people_for(cast.omar)) == set(map(str.title, cast.people)) - {"Vera"}
    assert names(queries.people_for(cast.vera)) == {"Vera"}


def test_a_leader_sees_her_school_and_the_staff_of_the_district(cast: Cast) -> None:
    Person.objects.create_user(given_name="Unrelated")
    seen = names(queries.people_for(cast.grace))
    assert {"Leo", "Mia", "Amara", "Ben", "Denise"} <= seen
    Membership.objects.filter(person=cast.leo).update(organization=cast.birch)
    Enrollment.objects.filter(person=cast.leo).delete()
    assert "Leo" not in names(queries.people_for(cast.grace))


def test_a_teacher_sees_students_of_her_own_sections_only(cast: Cast) -> None:
    students = {"Leo", "Mia", "Noah", "Zoe"}
    assert students <= names(queries.people_for(cast.amara))
    assert not students & names(queries.people_for(cast.tom))
    assert not students & names(queries.people_for(cast.ben))


def test_a_student_with_an_account_sees_only_herself(cast: Cast) -> None:
    assert names(queries.people_for(cast.mia)) == {"Mia"}


def test_an_administrator_still_sees_former_members_and_a_leader_does_not(cast: Cast) -> None:
    Membership.objects.filter(person=cast.ben).update(ends_on=timezone.localdate())
    assert rules.may_see_person(cast.omar, cast.ben)
    assert not rules.may_see_person(cast.denise, cast.ben)
    assert not rules.may_see_person(cast.amara, cast.ben)


def test_people_of_a_section(cast: Cast) -> None:
    assert names(queries.students_of(cast.section)) == {"Leo", "Mia", "Noah", "Zoe"}
    assert list(queries.teachers_of(cast.section)) == [cast.amara]
    assert list(queries.sections_of(cast.amara)) == [cast.section]
    assert not queries.sections_of(cast.tom).exists()
    Enrollment.objects.create(section=cast.section, person=cast.tom, role="teacher")
    assert list(queries.teachers_of(cast.section)) == [cast.amara, cast.tom]
    Enrollment.objects.filter(person=cast.leo).update(ends_on=timezone.localdate())
    assert "Leo" not in names(queries.students_of(cast.section))
    assert "Leo" in names(queries.students_of(cast.section, on=timezone.localdate() - timedelta(1)))


def test_colleagues_are_staff_of_the_district_who_can_sign_in(cast: Cast) -> None:
    colleagues = names(queries.colleagues_for(cast.amara))
    assert {"Tom", "Priya", "Ben", "Denise"} <= colleagues
    assert not colleagues & {"Amara", "Leo", "Mia", "Vera"}
    assert names(queries.colleagues_for(cast.amara, "pri nair")) == {"Priya"}
    assert not queries.colleagues_for(cast.leo).exists()
    assert not queries.colleagues_for(AnonymousUser()).exists()


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parents=st.lists(st.integers(0, 5), min_size=3, max_size=6),
    roles=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(list(Role)), st.booleans()), max_size=6),
)
def test_the_two_readings_of_each_rule_agree(
    transactional_world: object, parents: list[int], roles: list[tuple[int, Role, bool]]
) -> None:
    with transactional_world():  # type: ignore[operator]
        places: list[Organization] = []
        for number, parent in enumerate(parents):
            above = places[parent % len(places)] if places and parent else None
            places.append(Organization.objects.create(name=f"{number}", slug=f"w{number}", kind="school", parent=above))
        sections = [Section.objects.create(school=place, title=place.name) for place in places]
        person = Person.objects.create_user(given_name="Somebody")
        for where, role, has_ended in roles:
            Membership.objects.get_or_create(
                person=person, organization=places[where % len(places)], role=role,
                defaults={"ends_on": timezone.localdate() if has_ended else None},
            )  # fmt: skip
            Enrollment.objects.get_or_create(section=sections[where % len(places)], person=person, role="teacher",
                                             defaults={"ends_on": timezone.localdate() if has_ended else None})  # fmt: skip
        pairs = (
            (rules.may_administer, rules.administered_by),
            (rules.may_lead, rules.led_by),
            (rules.may_oversee, rules.overseen_by),
        )
        for one, many in pairs:
            reached = set(Organization.objects.filter(many(person)))
            assert reached == {place for place in places if one(person, place)}
        seen = set(Section.objects.filter(rules.sections_seen_by(person)))
        assert seen == {section for section in sections if rules.may_see_section(person, section)}
