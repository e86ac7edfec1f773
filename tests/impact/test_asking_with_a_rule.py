"""A study whose rule has a cutoff: what its form takes and refuses, what is frozen of it, and what earlier protocols stay."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from staffroom.knowing.impact import actions, queries
from staffroom.knowing.impact.models import Study
from staffroom.knowing.impact.models.studies import canonical
from staffroom.knowing.impact.queries.roads import road_ahead
from staffroom.people.models import Person, Term
from staffroom.records.actions import Result, make_activity, make_instrument, record_outcome
from staffroom.records.models import Instrument
from tests.cast import Cast

pytestmark = pytest.mark.django_db
BEFORE = {
    "format", "study", "version", "previous_sha256", "question", "decision", "activities", "outcome", "who", "when",
    "smallest_effect_sd", "estimate", "subgroups", "lottery",
}  # fmt: skip
"""What protocols said before rules could be told."""


@pytest.fixture
def math(cast: Cast) -> Instrument:
    return make_instrument(by=cast.denise, organization=cast.district, name="District math", kind="test")


@pytest.fixture
def typed(cast: Cast, math: Instrument) -> dict[str, Any]:
    """A form as Denise fills it in: teachers whose students scored below 200 are offered coaching."""
    activity = make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="coaching")
    return {
        "organization": cast.district.pk, "name": "Does it work?", "decision": "Go on or stop.", "activities": [activity.pk],
        "instrument": math.pk, "outcomes_from": "2027-01-16", "outcomes_until": "2027-06-10", "smallest_effect": "0.1",
        "controls": "notyet", "rule": "students", "rule_instrument": math.pk, "cutoff": "200", "offered": "below",
    }  # fmt: skip


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def asked(cast: Cast, typed: dict[str, Any]) -> Study:
    answer = signed_in(cast.denise).post(reverse("studies:new"), typed)
    assert answer.status_code == 302, answer.content.decode()
    return Study.objects.latest("pk")


def test_a_rule_is_asked_frozen_and_said_in_words(cast: Cast, typed: dict[str, Any], math: Instrument) -> None:
    study = asked(cast, typed)
    version = actions.register_study(by=cast.denise, study=study)
    assert version.protocol["format"] == "staffroom-study-2"
    assert version.protocol["rule"] == {
        "by": "students", "cutoff": 200.0, "offered": "below", "schools": [],
        "instrument": {"key": str(math.key), "name": "District math"},
    }  # fmt: skip
    page = signed_in(cast.denise).get(study.get_absolute_url()).content.decode()
    assert "teachers whose students scored below 200 on average in the term before (District math)" in page


def test_numbers_of_schools_are_typed_a_line_each(cast: Cast, typed: dict[str, Any]) -> None:
    lines = f'{cast.alder.name}, 61.5\n"{cast.birch.name.upper()}",40\n'
    study = asked(cast, {**typed, "rule": "schools", "school_numbers": lines, "offered": "above", "cutoff": "50"})
    told = {each["name"]: each["number"] for each in study.school_numbers}
    assert told == {cast.alder.name: 61.5, cast.birch.name: 40.0}
    assert study.rule_instrument is None
    page = signed_in(cast.denise).get(reverse("studies:change", args=[study.slug])).content.decode()
    assert f"{cast.alder.name}, 61.5\n{cast.birch.name}, 40" in page


@pytest.mark.parametrize(("field", "wrong"), [
    ("cutoff", {"cutoff": ""}), ("cutoff", {"cutoff": "nan"}), ("cutoff", {"cutoff": "1e300"}), ("cutoff", {"cutoff": "-inf"}),
    ("rule_instrument", {"rule_instrument": ""}), ("rule_instrument", {"rule_instrument": "9" * 30}), ("rule", {"rule": "fate"}),
    ("offered", {"offered": "sideways"}),
    ("school_numbers", {"rule": "schools"}), ("school_numbers", {"rule": "schools", "school_numbers": "Alder Elementary, 4"}),
    ("school_numbers", {"rule": "schools", "school_numbers": "Alder Elementary, 4\nAlder Elementary, 5"}),
    ("school_numbers", {"rule": "schools", "school_numbers": "Alder Elementary, NaN\nBirch Elementary, inf"}),
    ("school_numbers", {"rule": "schools", "school_numbers": "Nowhere, 3\n=1+1\n,,,\n\x07"}),
    ("planned_share", {"planned_share": "0"}), ("planned_share", {"planned_share": "101"}),
])  # fmt: skip
def test_half_a_rule_is_refused_in_words(cast: Cast, typed: dict[str, Any], field: str, wrong: dict[str, str]) -> None:
    answer = signed_in(cast.denise).post(reverse("studies:new"), {**typed, **wrong})
    assert answer.status_code == 422
    assert answer.context["form"].errors.get(field), answer.context["form"].errors
    assert not Study.objects.exists()


def test_without_a_rule_what_belongs_to_one_is_dropped_and_the_protocol_is_what_it_was(
    cast: Cast, typed: dict[str, Any]
) -> None:
    study = asked(cast, {**typed, "rule": "", "school_numbers": "junk"})
    assert (study.rule, study.cutoff, study.rule_instrument, study.school_numbers) == ("", None, None, [])
    version = actions.register_study(by=cast.denise, study=study)
    assert set(version.protocol) == BEFORE
    assert version.protocol["format"] == "staffroom-study-1"
    assert not queries.has_changed(study, version)
    assert version.text == canonical(version.protocol)


def test_a_rule_that_was_added_shows_as_what_changed(cast: Cast, typed: dict[str, Any]) -> None:
    study = asked(cast, {**typed, "rule": ""})
    first = actions.register_study(by=cast.denise, study=study)
    client = signed_in(cast.denise)
    client.post(reverse("studies:change", args=[study.slug]), {**typed, "planned_share": "40"})
    study.refresh_from_db()
    found = {
        each.part: (each.before, each.after)
        for each in queries.differences(first.protocol, queries.protocol_of(study, 2, ""))
    }
    assert found["Meant to take part"] == ("not stated", "40 of a hundred teachers")
    assert found["Who is offered it"][0] == "not stated"
    assert client.get(study.get_absolute_url()).status_code == 200


def test_a_rule_needs_its_cutoff_wherever_it_comes_from(cast: Cast, typed: dict[str, Any]) -> None:
    study = asked(cast, typed)
    with pytest.raises(IntegrityError), transaction.atomic():
        Study.objects.filter(pk=study.pk).update(cutoff=None)


def test_before_the_results_are_there_the_page_says_how_they_will_be_compared(
    cast: Cast, typed: dict[str, Any], math: Instrument
) -> None:
    study = asked(cast, typed)
    assert [said[:17] for said in road_ahead(study)] == ["A cutoff decided:", "Otherwise: No ter", "If fewer than 10 "]
    page = signed_in(cast.denise).get(study.get_absolute_url()).content.decode()
    assert "at least 90 of a hundred on either side" in page
    said = Result(subject="student", term_id=cast.term.pk, value=6.0, person_id=cast.leo.pk, teacher_id=cast.amara.pk,
                  school_id=cast.alder.pk)  # fmt: skip
    record_outcome(by=cast.denise, instrument=math, result=said)
    plain = asked(cast, {**typed, "rule": ""})
    assert "made alike by their students’ scores" in road_ahead(plain)[0].replace("'", "’")
    Term.objects.create(
        organization=cast.district, name="Summer", begins_on="2027-06-12", ends_on="2027-07-30", school_year=2027
    )
    longer = asked(cast, {**typed, "rule": "", "outcomes_until": "2027-07-01"})
    assert "there will be 3 terms with results" in road_ahead(longer)[0]


def test_the_outlook_says_whose_number_it_reckons_with(cast: Cast, typed: dict[str, Any]) -> None:
    client = signed_in(cast.denise)
    stated = client.get(reverse("studies:power"), {**typed, "planned_share": "30"}).content.decode()
    assert "30 of a hundred teachers taking part, as stated" in stated
    assumed = client.get(reverse("studies:power"), typed).content.decode()
    assert "Assumed: half of these teachers" in assumed
    for junk in ("x", "-3", "9" * 40):
        assert (
            client.get(reverse("studies:power"), {**typed, "planned_share": junk, "activities": junk}).status_code
            == 200
        )


def test_those_who_asked_for_a_seat_are_counted_unless_they_are_few(cast: Cast, typed: dict[str, Any]) -> None:
    from staffroom.knowing.impact.taking_part import takers
    from staffroom.records.models import Activity

    activities = list(Activity.objects.filter(pk__in=typed["activities"]))
    people = [
        Person.objects.create_user(email=f"t{number}@riverbend.example", given_name="T", family_name=str(number))
        for number in range(12)
    ]
    made = actions.start_lottery(by=cast.denise, organization=cast.district, activity=activities[0], name="Seats",
                                 waves=[actions.Round(name="Now", seats=3, begins_on=cast.next_term.begins_on)])  # fmt: skip
    keys = [each.key for each in people]
    made.applicants.model.objects.bulk_create(made.applicants.model(lottery=made, person=each) for each in people[:3])
    few = takers(cast.district, activities, keys, None)
    assert few.count == 6
    assert "Fewer than 5 have begun" in few.said
    made.applicants.model.objects.bulk_create(made.applicants.model(lottery=made, person=each) for each in people[3:7])
    assert takers(cast.district, activities, keys, None).count == 7
    assert takers(cast.district, activities, keys[:8], None).count == 8
    assert takers(cast.district, activities, keys, 25).count == 3
