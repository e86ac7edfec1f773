"""A vendor's course becomes one activity with hours for each person: as entries arrive, backwards, and again when anything changes."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Sum

from staffroom.exchange import lately, tasks
from staffroom.exchange.actions import agents, mappings
from staffroom.exchange.models import Agent, Credit, DayToCount, Mapping
from staffroom.jobs.actions import run_waiting
from staffroom.knowing import frames
from staffroom.people import personal
from staffroom.records import actions, lake
from staffroom.records.models import Activity, Cost, Statement
from staffroom.records.vocabulary import verbs
from tests.cast import Cast
from tests.exchange.knocking import COURSE, ToolAtTheDoor, account, statement, voiding

pytestmark = pytest.mark.django_db
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
TERMINATED = "http://adlnet.gov/expapi/verbs/terminated"
MORNING = datetime(2026, 9, 7, 13, tzinfo=UTC)


@pytest.fixture
def fractions(cast: Cast) -> Activity:
    return actions.make_activity(by=cast.denise, organization=cast.district, name="Fractions online", kind="course")


def by(name: str) -> dict[str, Any]:
    return {"mbox": f"mailto:{name}@riverbend.example"}


def did(name: str = "amara", minutes: int = 0, *, lasted: int | None = None, **more: Any) -> dict[str, Any]:
    at = (MORNING + timedelta(minutes=minutes)).isoformat()
    result = {"result": {"duration": f"PT{lasted}M"}} if lasted is not None else {}
    return statement(**{"actor": by(name), "timestamp": at, **result, **more})


def told(cast: Cast, activity: Activity, **more: Any) -> Mapping:
    made = mappings.make_mapping(by=cast.omar, tenant=cast.district, **{"iri": COURSE, "activity": activity, **more})
    run_waiting()
    return made


def hours(activity: Activity) -> dict[str, int]:
    """Minutes of each person in the ledger, as every page counts them."""
    found = Statement.objects.live().filter(activity=activity).order_by().values_list("actor__given_name")
    return {name.lower(): round(seconds / 60) for name, seconds in found.annotate(sum=Sum("duration_s"))}


def test_entries_become_hours_as_they_arrive(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    told(cast, fractions)
    tool.post(did(lasted=40), did("tom", 5, lasted=30), did("tom", 200, lasted=15))
    run_waiting()
    assert hours(fractions) == {"amara": 40, "tom": 45}
    entry = Statement.objects.live().get(activity=fractions, actor=cast.amara)
    assert (entry.verb, entry.role, entry.organization, entry.tool) == (verbs.ATTENDED.iri, "teacher", cast.alder, None)


def test_entries_that_came_before_count_too(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    tool.post(did(lasted=40), did("ben", 24 * 60, lasted=50))
    told(cast, fractions)
    assert hours(fractions) == {"amara": 40, "ben": 50}


def test_counting_again_changes_nothing(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    tool.post(did(lasted=40), did("tom", lasted=30))
    mapping = told(cast, fractions)
    before = list(Statement.objects.order_by("pk").values_list("pk", "is_voided"))
    tasks.apply_mapping.call(mapping.pk)
    tasks.count_all_days.call()
    assert list(Statement.objects.order_by("pk").values_list("pk", "is_voided")) == before
    assert not DayToCount.objects.exists()


def test_what_tools_wrote_stays_as_it_was(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    (key,) = tool.post(did(lasted=40))
    before = Statement.objects.filter(key=uuid.UUID(key)).values().get()
    told(cast, fractions)
    assert Statement.objects.filter(key=uuid.UUID(key)).values().get() == before


def test_each_hour_costs_once(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    actions.add_price(
        by=cast.denise, organization=cast.district, kind="wage", name="Teacher", role="teacher", unit="hour",
        unit_price_usd_cents=4000, price_year=2026,
    )  # fmt: skip
    told(cast, fractions)
    tool.post(did(lasted=60))
    run_waiting()
    tool.post(did(minutes=90, lasted=30))
    run_waiting()
    actions.price_time()
    live = Cost.objects.live().filter(activity=fractions)
    assert [each.quantity for each in live] == [Decimal("1.5")]
    assert Cost.objects.filter(activity=fractions, voids=None).count() == 2  # the hour alone, then an hour and a half


def test_what_works_counts_late_matches(
    cast: Cast, tool: ToolAtTheDoor, fractions: Activity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake, "folder", lambda: tmp_path / "lake")
    told(cast, fractions)
    tool.post(did(lasted=40, actor=account("a.okafor")))
    run_waiting()
    lake.refresh()
    assert frames.participation(cast.district.path, str(fractions.key)).num_rows == 0
    agents.claim_agent(by=cast.omar, agent=Agent.objects.get(), person=cast.amara)
    run_waiting()
    lake.refresh()
    (row,) = frames.participation(cast.district.path, str(fractions.key)).to_pylist()
    assert (row["actor_key"], row["role"], row["seconds"], row["entries"]) == (str(cast.amara.key), "teacher", 2400, 1)


def test_an_undone_match_takes_the_hours_back(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    told(cast, fractions)
    tool.post(did(lasted=40))
    run_waiting()
    agents.claim_agent(by=cast.omar, agent=Agent.objects.get(), person=cast.tom)
    run_waiting()
    assert hours(fractions) == {"tom": 40}
    agents.set_apart(by=cast.omar, agent=Agent.objects.get())
    run_waiting()
    assert hours(fractions) == {}
    assert not Credit.objects.exists()


def test_a_sitting_is_inferred(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    rule = {"hours": "session", "pause_minutes": 30, "least_minutes": 5, "most_minutes": 60}
    told(cast, fractions, **rule)
    tool.post(
        *(did(minutes=each) for each in (0, 10, 25)),
        did(minutes=200),
        *(did("tom", each) for each in range(0, 100, 20)),
    )
    run_waiting()
    assert hours(fractions) == {"amara": 30, "tom": 60}


def test_fixed_minutes_count_once_for_each_thing(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    told(cast, fractions, iri=f"{COURSE}/", is_prefix=True, hours="fixed", minutes=20, verbs=[COMPLETED])
    one, two = ({"id": f"{COURSE}/{part}"} for part in ("one", "two"))
    tool.post(
        did(verb={"id": COMPLETED}, object=one), did(minutes=1, verb={"id": COMPLETED}, object=one),
        did(minutes=2, verb={"id": COMPLETED}, object=two), did(minutes=3, object=two),
        did(minutes=24 * 60, verb={"id": COMPLETED}, object=one),
    )  # fmt: skip
    run_waiting()
    assert hours(fractions) == {"amara": 40}
    # It turns out that the first part was completed a week before: then it counts there.
    tool.post(did(minutes=-7 * 24 * 60, verb={"id": COMPLETED}, object=one))
    run_waiting()
    assert hours(fractions) == {"amara": 40}
    assert {(each.day.day, each.seconds) for each in Credit.objects.all()} == {(31, 1200), (7, 1200)}


def test_a_part_counts_for_the_course_that_it_is_part_of(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    told(cast, fractions)
    for kind in ("parent", "grouping", "category"):
        context = {"contextActivities": {kind: [{"id": COURSE}]}}
        tool.post(did(minutes=len(kind) * 60, lasted=10, object={"id": "https://vendor.example/part"}, context=context))
    run_waiting()
    assert hours(fractions) == {"amara": 20}


def test_an_entry_counts_for_the_nearest_mapping_alone(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    other = actions.make_activity(by=cast.denise, organization=cast.district, name="Anything", kind="course")
    told(cast, other, iri="https://vendor.example/", is_prefix=True)
    tool.post(did(lasted=40), did(minutes=90, lasted=10, object={"id": "https://vendor.example/else"}))
    run_waiting()
    assert hours(other) == {"amara": 50}
    exact = told(cast, fractions)
    assert (hours(fractions), hours(other)) == ({"amara": 40}, {"amara": 10})
    mappings.remove_mapping(by=cast.omar, mapping=exact)
    run_waiting()
    assert (hours(fractions), hours(other)) == ({}, {"amara": 50})


def test_another_tool_may_be_left_out(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    second = ToolAtTheDoor(cast.district)
    told(cast, fractions, tool=second.tool)
    tool.post(did(lasted=40))
    second.post(did("tom", lasted=30))
    run_waiting()
    assert hours(fractions) == {"tom": 30}


def test_only_the_chosen_verbs_tell_time(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    told(cast, fractions, verbs=[TERMINATED])
    tool.post(did(lasted=600, verb={"id": COMPLETED}), did(minutes=2, lasted=30, verb={"id": TERMINATED}))
    run_waiting()
    assert hours(fractions) == {"amara": 30}


def test_a_voided_entry_no_longer_counts(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    told(cast, fractions)
    keys = tool.post(did(lasted=40), did(minutes=120, lasted=20))
    run_waiting()
    tool.post(voiding(keys[0]))
    run_waiting()
    assert hours(fractions) == {"amara": 20}


def test_a_changed_mapping_counts_anew(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    tool.post(did(lasted=40))
    mapping = told(cast, fractions)
    mappings.change_mapping(by=cast.ines, mapping=mapping, most_minutes=25)
    run_waiting()
    assert hours(fractions) == {"amara": 25}
    mappings.change_mapping(by=cast.ines, mapping=mapping, iri="https://vendor.example/other")
    run_waiting()
    assert hours(fractions) == {}


def test_what_somebody_struck_out_stays_struck_out(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    told(cast, fractions)
    tool.post(did(lasted=40))
    run_waiting()
    actions.void_statement(by=cast.amara, statement=Statement.objects.live().get(activity=fractions))
    tool.post(did(minutes=60, lasted=5))
    run_waiting()
    assert hours(fractions) == {}


def test_attendance_entered_by_hand_comes_first(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    presence = actions.Presence(person=cast.amara, day=date(2026, 9, 7), hours=Decimal(2))
    actions.enter_attendance(by=cast.denise, activity=fractions, presences=[presence])
    told(cast, fractions)
    tool.post(did(lasted=40))
    run_waiting()
    assert hours(fractions) == {"amara": 120}


def test_nobody_gets_hours_who_is_no_staff(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    told(cast, fractions)
    home = {"objectType": "Agent", "account": {"homePage": "http://testserver", "name": str(cast.leo.key)}}
    tool.post(did(lasted=40, actor=home), did("stranger", lasted=40))
    run_waiting()
    assert hours(fractions) == {}


def test_another_districts_entries_do_not_count(cast: Cast, other_tool: ToolAtTheDoor, fractions: Activity) -> None:
    told(cast, fractions)
    other_tool.post(did("vera", lasted=40), did("amara", lasted=40))
    run_waiting()
    assert hours(fractions) == {}


def test_erasing_somebody_keeps_the_sums(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    told(cast, fractions)
    tool.post(did(lasted=40))
    run_waiting()
    for declared in personal.declarations():
        found = declared.model._base_manager.filter(declared.about(cast.amara))
        if declared.model._meta.label in (
            "exchange.Agent",
            "exchange.Credit",
            "exchange.DayToCount",
            "records.Statement",
        ):
            declared.erase(found, cast.amara)
    assert not Credit.objects.exists()
    entry = Statement.objects.live().get(activity=fractions)
    assert (entry.actor, entry.duration_s) == (None, 2400)


@pytest.mark.parametrize("name", ["amara", "priya", "grace", "denise", "ruth", "rafael", "vera"])
def test_only_administrators_map(cast: Cast, fractions: Activity, name: str) -> None:
    with pytest.raises(PermissionDenied):
        mappings.make_mapping(by=cast.people[name], tenant=cast.district, iri=COURSE, activity=fractions)
    mapping = told(cast, fractions)
    with pytest.raises(PermissionDenied):
        mappings.change_mapping(by=cast.people[name], mapping=mapping, most_minutes=3)
    with pytest.raises(PermissionDenied):
        mappings.remove_mapping(by=cast.people[name], mapping=mapping)


@pytest.mark.parametrize(
    "wrong",
    [{"iri": ""}, {"hours": "fixed"}, {"hours": "fixed", "minutes": 20}, {"hours": "session"}, {"hours": "guess"}],
)
def test_a_mapping_without_its_numbers_is_refused(cast: Cast, fractions: Activity, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        told(cast, fractions, **wrong)
    assert not Mapping.objects.exists()


def test_an_address_is_mapped_once(cast: Cast, fractions: Activity) -> None:
    told(cast, fractions)
    with pytest.raises(ValidationError):
        told(cast, fractions)


def test_activities_and_tools_of_others_are_refused(cast: Cast, other_tool: ToolAtTheDoor, fractions: Activity) -> None:
    theirs = actions.make_activity(by=cast.vera, organization=cast.other_district, name="Theirs", kind="course")
    with pytest.raises(ValidationError):
        told(cast, theirs)
    with pytest.raises(ValidationError):
        told(cast, fractions, tool=other_tool.tool)


def workshop(*members: str | dict[str, Any], minutes: int = 0, lasted: int = 90, **more: Any) -> dict[str, Any]:
    """One statement of a workshop about all who were there."""
    together = [by(each) if isinstance(each, str) else each for each in members]
    return did(minutes=minutes, lasted=lasted, actor={"objectType": "Group", "member": together}, **more)


def test_all_who_were_there_together_have_the_hours(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    """Told in one statement, before and after the mapping is made; who is unknown has none, and one of two names has them once."""
    tool.post(workshop("amara", "tom", "nobody"))
    shown = lately.preview(mapping_of(cast, fractions), mappings.entries_of(mapping_of(cast, fractions)))
    assert (shown.entries, shown.people, shown.unmatched, shown.seconds) == (1, 2, 1, 2 * 90 * 60)
    told(cast, fractions)
    assert hours(fractions) == {"amara": 90, "tom": 90}
    here = {"account": {"homePage": settings.SITE_URL, "name": str(cast.ben.key)}}
    tool.post(workshop("ben", here, minutes=24 * 60))
    run_waiting()
    assert hours(fractions) == {"amara": 90, "tom": 90, "ben": 90}
    (course,) = lately.courses_in(cast.district.pk)
    assert (course.entries, len(course.people), len(course.unmatched)) == (2, 3, 1)


def test_a_voided_workshop_takes_the_hours_of_all_back(cast: Cast, tool: ToolAtTheDoor, fractions: Activity) -> None:
    told(cast, fractions)
    (key,) = tool.post(workshop("amara", "tom"))
    run_waiting()
    assert hours(fractions) == {"amara": 90, "tom": 90}
    tool.post(voiding(key))
    run_waiting()
    assert hours(fractions) == {}


def test_a_member_who_is_matched_late_or_wrongly_gets_or_loses_the_hours(
    cast: Cast, tool: ToolAtTheDoor, fractions: Activity
) -> None:
    told(cast, fractions)
    tool.post(workshop("tom", account("x17"), lasted=60))
    run_waiting()
    assert hours(fractions) == {"tom": 60}
    unknown = Agent.objects.get(identifier__account__name="x17")
    agents.claim_agent(by=cast.omar, agent=unknown, person=cast.amara)
    run_waiting()
    assert hours(fractions) == {"tom": 60, "amara": 60}
    agents.set_apart(by=cast.omar, agent=unknown)
    run_waiting()
    assert hours(fractions) == {"tom": 60}


def test_what_was_done_alone_and_together_is_added_up_once(
    cast: Cast, tool: ToolAtTheDoor, fractions: Activity
) -> None:
    told(cast, fractions)
    tool.post(workshop("amara", "tom", lasted=60), did("amara", 300, lasted=30))
    run_waiting()
    assert hours(fractions) == {"amara": 90, "tom": 60}


def test_a_thing_completed_together_counts_once_on_its_first_day(
    cast: Cast, tool: ToolAtTheDoor, fractions: Activity
) -> None:
    told(cast, fractions, hours="fixed", minutes=45, verbs=[COMPLETED])
    verb = {"id": COMPLETED}
    tool.post(
        workshop("amara", "tom", verb=verb),
        workshop("amara", minutes=48 * 60, verb=verb),
        did("tom", 72 * 60, verb=verb),
    )
    run_waiting()
    assert hours(fractions) == {"amara": 45, "tom": 45}


def mapping_of(cast: Cast, activity: Activity) -> Mapping:
    return Mapping(tenant=cast.district, iri=COURSE, activity=activity, hours=Mapping.Hours.TOLD)
