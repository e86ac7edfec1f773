"""Appending to the activity ledger: what a statement says, what it never says, and that it stays."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from staffroom.people.models import Person
from staffroom.records import actions, queries, rules, validation
from staffroom.records.append_only import LedgerIsAppendOnly
from staffroom.records.models import Activity, Statement
from staffroom.records.vocabulary import VERBS, extensions, source_of, types, verbs
from tests.cast import Cast


@pytest.fixture
def coaching(cast: Cast) -> Activity:
    return Activity.objects.create(
        organization=cast.district,
        iri="https://riverbend.example/coaching",
        slug="coaching",
        name="Coaching",
        kind="coaching",
    )


def test_a_deed_becomes_a_valid_statement_with_its_columns(cast: Cast, coaching: Activity) -> None:
    entry = actions.record(
        by=cast.priya, verb=verbs.WATCHED, object=cast.section, activity=coaching, duration_s=4530, kind=types.VIDEO,
        focus="wait time",
    )  # fmt: skip
    kept = Statement.objects.get(pk=entry.pk)
    assert validation.problems_in(kept.body) == []
    assert (kept.actor, kept.organization, kept.activity, kept.duration_s) == (cast.priya, cast.alder, coaching, 4530)
    assert (kept.verb, kept.role) == (verbs.WATCHED.iri, "coach")
    assert kept.body["result"] == {"duration": "PT1H15M30S"}
    assert kept.body["actor"]["account"] == {"homePage": "http://localhost:8000", "name": str(cast.priya.key)}
    assert kept.body["context"]["contextActivities"]["grouping"][0]["id"] == coaching.iri
    assert kept.body["context"]["extensions"] == {extensions.FOCUS: "wait time"}
    assert kept.body["id"] == str(kept.key)


def test_a_statement_names_nobody_and_tells_no_title(cast: Cast) -> None:
    entry = actions.record(by=cast.amara, verb=verbs.SHARED, object=cast.section, parent=cast.course)
    text = json.dumps(entry.body)
    assert not any(word in text for word in ("Amara", "Okafor", "riverbend.example", "Lindqvist", "room 12"))


def test_a_deed_to_a_person_is_about_an_agent(cast: Cast) -> None:
    body = actions.record(by=cast.priya, verb=verbs.MENTORED, object=cast.amara).body
    assert body["object"]["objectType"] == "Agent"
    assert "platform" not in body.get("context", {})
    assert validation.is_valid(body)


def test_a_deed_of_nobody_is_the_site_itself(cast: Cast) -> None:
    entry = actions.record(by=None, verb=verbs.IMPORTED, object="https://example.org/file")
    assert (entry.actor, entry.organization, entry.role) == (None, None, "")
    assert entry.body["actor"]["account"]["name"] == "staffroom"


@pytest.mark.parametrize(
    "wrong",
    [
        {"object": "not an address"},
        {"happened_at": timezone.now() + timedelta(hours=1)},
        {"duration_s": -1},
        {"result": {"score": {"scaled": 2}}},
        {"context": {"registration": "no uuid"}},
        {"context": {"unheard": "of"}},
    ],
)
def test_what_is_not_valid_is_refused_and_nothing_is_kept(cast: Cast, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        actions.record(**{"by": cast.amara, "verb": verbs.SHARED, "object": "https://example.org/a", **wrong})
    assert not Statement.objects.exists()


def test_many_deeds_are_appended_all_or_none(cast: Cast, coaching: Activity) -> None:
    def deed(number: int, to: str = "https://example.org/a") -> actions.Deed:
        return actions.Deed(by=cast.amara, verb=verbs.ATTENDED, object=to, activity=coaching, duration_s=number)

    assert actions.record_statements(deed(number) for number in range(1, 701)) == 700
    with pytest.raises(ValidationError):
        actions.record_statements([deed(1), deed(2, to="nowhere")])
    assert Statement.objects.count() == 700


def test_an_entry_can_be_neither_changed_nor_removed(cast: Cast) -> None:
    entry = actions.record(by=cast.amara, verb=verbs.SHARED, object="https://example.org/a")
    before = Statement.objects.values().get()
    entry.duration_s = 99
    for attempt in (
        entry.save,
        lambda: entry.save(update_fields=["duration_s"]),
        lambda: Statement.objects.get().save(),
        entry.delete,
        lambda: Statement.objects.update(duration_s=1),
        lambda: Statement.objects.filter(pk=entry.pk).update(is_voided=True),
        lambda: Statement.objects.bulk_update([entry], ["duration_s"]),
        lambda: Statement.objects.all().delete(),
        lambda: Statement.objects.update_or_create(pk=entry.pk, defaults={"duration_s": 3}),
        lambda: Statement.objects.bulk_create(
            [entry], update_conflicts=True, unique_fields=["key"], update_fields=["verb"]
        ),
        lambda: cast.amara.statements.update(duration_s=2),
        lambda: Statement.objects.all().take_person_out(duration_s=5),
    ):
        with pytest.raises(LedgerIsAppendOnly):
            attempt()
    assert Statement.objects.values().get() == before


def test_voiding_appends_and_hides(cast: Cast, coaching: Activity) -> None:
    entry = actions.record(by=cast.amara, verb=verbs.ATTENDED, object=coaching, duration_s=60)
    voiding = actions.void_statement(by=cast.amara, statement=entry)
    assert voiding.body["object"] == {"objectType": "StatementRef", "id": str(entry.key)}
    assert validation.is_valid(voiding.body)
    assert voiding.voids == entry
    assert Statement.objects.get(pk=entry.pk).is_voided
    assert not queries.entries_for(cast.amara).exists()


def test_nothing_is_voided_twice_and_a_voiding_not_at_all(cast: Cast) -> None:
    entry = actions.record(by=cast.amara, verb=verbs.SHARED, object="https://example.org/a")
    voiding = actions.void_statement(by=cast.amara, statement=entry)
    for again in (entry, voiding):
        with pytest.raises(ValidationError):
            actions.void_statement(by=cast.amara, statement=again)
    assert Statement.objects.count() == 2


@pytest.mark.parametrize(("name", "may"), [
    ("amara", True), ("omar", True), ("grace", False), ("denise", False),
    ("tom", False), ("priya", False), ("ben", False), ("ruth", False), ("rafael", False), ("vera", False), ("leo", False),
])  # fmt: skip
def test_who_may_void_what_somebody_did_on_their_own(cast: Cast, name: str, may: bool) -> None:
    entry = actions.record(by=cast.amara, verb=verbs.SHARED, object="https://example.org/a")
    if may:
        assert actions.void_statement(by=cast.people[name], statement=entry).voids == entry
    else:
        with pytest.raises(PermissionDenied):
            actions.void_statement(by=cast.people[name], statement=entry)


@pytest.mark.parametrize(("name", "may"), [
    ("amara", True), ("grace", True), ("denise", True), ("omar", True),
    ("tom", False), ("priya", False), ("ben", False), ("ruth", False), ("rafael", False), ("vera", False), ("leo", False),
])  # fmt: skip
def test_who_may_void_attendance_that_a_leader_entered(cast: Cast, coaching: Activity, name: str, may: bool) -> None:
    entry = actions.record(
        by=cast.amara, verb=verbs.ATTENDED, object=coaching, duration_s=60, recorded_by=cast.people["grace"]
    )
    assert rules.may_void(cast.people[name], entry) is may


def seen_by(person: Person) -> int:
    return queries.entries_for(person).count()


def test_entries_are_seen_by_their_actor_and_of_activities_by_those_who_lead(cast: Cast, coaching: Activity) -> None:
    actions.record(by=cast.amara, verb=verbs.ATTENDED, object=coaching, duration_s=60)
    actions.record(by=cast.amara, verb=verbs.VIEWED, object="https://example.org/mine")
    expected = {"amara": 2, "grace": 1, "denise": 1, "omar": 1, "ines": 1}
    assert {name: seen_by(person) for name, person in cast.people.items() if seen_by(person)} == expected


def test_the_coaching_program_of_two_people_is_the_nearest_that_runs(cast: Cast, coaching: Activity) -> None:
    assert queries.coaching_activity_for(cast.amara, cast.priya) == coaching
    near = Activity.objects.create(
        organization=cast.alder, iri="https://x.example/a", slug="a", name="A", kind="coaching"
    )
    Activity.objects.create(
        organization=cast.alder, iri="https://x.example/b", slug="b", name="B", kind="coaching", ends_on="2020-01-01"
    )
    assert queries.coaching_activity_for(cast.amara, cast.priya) == near
    assert queries.coaching_activity_for(cast.amara, cast.vera) is None


def test_every_word_comes_from_a_published_vocabulary() -> None:
    assert all(verb.source for verb in VERBS.values())
    assert all(source_of(word) for word in (*types, *extensions))
