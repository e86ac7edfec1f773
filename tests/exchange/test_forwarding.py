"""Forwarding: everything that may leave, in order, at least once, whatever dies or refuses on the way; and nobody's name."""

from __future__ import annotations

import json
import random
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import override_settings
from django.utils import timezone

from staffroom.conversations.models import Notice
from staffroom.exchange import forwarded, outside, sealing
from staffroom.exchange.actions import agents, forwarding
from staffroom.exchange.models import Destination, PutAside
from staffroom.jobs.models import Job
from staffroom.permissions import actions as permissions
from staffroom.records import actions as records
from staffroom.records.models import Statement
from staffroom.records.vocabulary import verbs
from tests.cast import Cast
from tests.exchange.knocking import COURSE, DID, ToolAtTheDoor, account, agent, statement, voiding
from tests.exchange.storing import Store

pytestmark = pytest.mark.django_db
SECRET = "a secret of the state"


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def state(cast: Cast) -> Destination:
    return destination(cast)


def destination(cast: Cast, **fields: Any) -> Destination:
    told = {"name": "State", "url": "https://lrs.example/xapi", "key_name": "key", "secret": SECRET, **fields}
    return forwarding.make_destination(by=cast.omar, tenant=cast.district, **told)


def run(to: Destination, store: Store) -> int:
    return forwarding.forward(destination=Destination.objects.get(pk=to.pk), post=store)


def now(to: Destination) -> Destination:
    return Destination.objects.get(pk=to.pk)


def test_everything_goes_once_in_order_in_batches(tool: ToolAtTheDoor, state: Destination, store: Store) -> None:
    ids = [key for _batch in range(5) for key in tool.post(*(statement() for _each in range(50)))]
    assert forwarded.backlog_of(state).count == 250
    assert run(state, store) == 250
    assert store.ids == ids
    assert [len(batch) for _url, _headers, batch in store.requests] == [100, 100, 50]
    assert run(state, store) == 0
    found = now(state)
    assert (found.forwarded, found.last_error, forwarded.backlog_of(found).count) == (250, "", 0)
    assert found.last_success_at


@pytest.mark.parametrize("major", [1, 2])
def test_it_is_sent_as_the_store_wants_it(tool: ToolAtTheDoor, cast: Cast, store: Store, major: int) -> None:
    to = destination(cast, major=major)
    body = statement(actor=agent(), context={"contextAgents": [{"objectType": "contextAgent", "agent": agent("tom")}]})
    tool.speaking(2).post(body)
    run(to, store)
    [(url, headers, [sent])] = store.requests
    assert url == "https://lrs.example/xapi/statements"
    assert headers["X-Experience-API-Version"] == ("2.0.0" if major == 2 else "1.0.3")
    assert sent["id"] == body["id"]
    assert {"authority", "stored"}.isdisjoint(sent)
    assert ("contextAgents" in sent["context"]) == (major == 2)


@pytest.mark.parametrize("seed", range(6))
def test_whoever_dies_nothing_is_lost_nothing_twice_and_each_actors_order_holds(
    tool: ToolAtTheDoor, state: Destination, store: Store, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The worker dies before, or after, the store has heard it; now and then it is the store that is away."""
    monkeypatch.setattr(forwarding, "AT_ONCE", 7)
    dice = random.Random(seed)
    ids = tool.post(*(statement(actor=agent(dice.choice(("amara", "tom", "ben")))) for _each in range(60)))

    class Killed(BaseException):
        pass

    def fickle(url: str, body: bytes, headers: dict[str, str]) -> outside.Answer:
        fate = dice.random()
        if fate < 0.15:
            raise Killed
        store.is_away = fate < 0.3
        answer = store(url, body, headers)
        if fate > 0.85:
            raise Killed
        return answer

    for _life in range(200):
        try:
            forwarding.forward(destination=now(state), post=fickle)
        except Killed:
            continue
        if not forwarded.backlog_of(now(state)).count:
            break
    assert sorted(store.ids) == sorted(ids)
    for sent in store.by_actor().values():
        assert sent == [key for key in ids if key in sent]


def test_a_store_that_has_it_already_is_not_bothered_about_it(
    tool: ToolAtTheDoor, state: Destination, store: Store
) -> None:
    store.knows_ids_by_conflict = True
    ids = tool.post(*(statement() for _each in range(12)))
    for key in (ids[3], ids[7]):
        store.taken[key] = {}
    run(state, store)
    assert sorted(store.ids) == sorted(ids)
    assert not PutAside.objects.exists()


def test_one_statement_that_is_refused_is_put_aside_and_the_others_go_on(
    tool: ToolAtTheDoor, cast: Cast, state: Destination, store: Store
) -> None:
    ids = tool.post(*(statement() for _each in range(40)))
    store.refuses = lambda body: 400 if body["id"] == ids[11] else 0
    run(state, store)
    assert store.ids == [key for key in ids if key != ids[11]]
    [aside] = forwarded.aside_of(state)
    assert (aside.row.status, aside.row.reason, aside.thing) == (400, f"{ids[11]} breaks a rule", COURSE)
    assert now(state).forwarded == 39

    assert forwarding.try_again(by=cast.omar, destination=state) == 1
    run(state, store)
    assert PutAside.objects.filter(is_wanted_again=False).count() == 1, "still refused: aside again"
    store.refuses = lambda body: 0
    forwarding.try_again(by=cast.omar, destination=state)
    run(state, store)
    assert set(store.ids) == set(ids)
    assert not PutAside.objects.exists()


def test_a_store_that_refuses_everything_is_asked_again_rather_than_believed(
    tool: ToolAtTheDoor, state: Destination, store: Store
) -> None:
    tool.post(*(statement() for _each in range(30)))
    store.refuses = lambda body: 400
    assert run(state, store) == 0
    assert not PutAside.objects.exists()
    assert "refuses everything" in now(state).last_error
    assert now(state).cursor == 0


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (401, "our key"),
        (403, "our key"),
        (404, "no record store"),
        (302, "points elsewhere"),
        (429, "429"),
        (503, "503"),
    ],
)
def test_what_the_store_said_last_is_shown_and_nothing_is_lost(
    tool: ToolAtTheDoor, state: Destination, store: Store, says: int, words: str
) -> None:
    ids = tool.post(statement(), statement())
    store.says = says
    run(state, store)
    found = now(state)
    assert words in found.last_error
    assert found.next_try_at > timezone.now()
    store.says = 200
    run(state, store)
    assert store.ids == ids
    assert (now(state).last_error, now(state).failing_since) == ("", None)


def test_waiting_grows_and_administrators_hear_of_it_once(
    tool: ToolAtTheDoor, cast: Cast, state: Destination, store: Store
) -> None:
    tool.post(statement())
    store.is_away = True
    waits = []
    for _try in range(4):
        run(state, store)
        waits.append((now(state).next_try_at - timezone.now()).total_seconds())
    assert waits == sorted(waits)
    assert not Notice.objects.exists()
    Destination.objects.update(failing_since=timezone.now() - timedelta(hours=2))
    run(state, store)
    run(state, store)
    told = Notice.objects.filter(kind="forwarding_stuck")
    assert {notice.recipient for notice in told} == {cast.omar, cast.ines}
    assert told.count() == 2


def test_people_leave_as_keys_of_this_site(tool: ToolAtTheDoor, cast: Cast, state: Destination, store: Store) -> None:
    known = {"objectType": "Agent", "name": "Amara Okafor", "mbox": f"mailto:{cast.amara.email}"}
    stranger = {**account("x17"), "name": "Xavier"}
    group = {"objectType": "Group", "name": "Math five", "member": [known, stranger]}
    tool.post(
        statement(actor=known, context={"instructor": stranger, "team": group}),
        statement(
            actor=stranger, object={"objectType": "Agent", "name": "Amara", "mbox": f"mailto:{cast.amara.email}"}
        ),
        statement(actor=group),
    )
    agents.match_waiting(tenant_id=cast.district.pk)
    run(state, store)
    said = json.dumps(list(store.taken.values()))
    for word in ("Okafor", "Xavier", "Amara", "x17", "Math five", cast.amara.email):
        assert word not in said
    first, second, third = store.taken.values()
    assert first["actor"]["account"] == {"homePage": "http://localhost:8000", "name": str(cast.amara.key)}
    assert second["object"]["account"] == first["actor"]["account"]
    hidden = first["context"]["instructor"]["account"]["name"]
    assert hidden.startswith("unknown-")
    assert second["actor"]["account"]["name"] == hidden, "the same somebody is the same"
    assert [each["account"]["name"] for each in third["actor"]["member"]] == [str(cast.amara.key), hidden]


def test_a_store_that_may_know_people_gets_them_as_they_were_written(
    tool: ToolAtTheDoor, cast: Cast, store: Store
) -> None:
    body = statement(actor={"objectType": "Agent", "name": "Amara", "mbox": f"mailto:{cast.amara.email}"})
    to = destination(cast, knows_people=True)
    tool.post(body)
    run(to, store)
    assert next(iter(store.taken.values()))["actor"] == body["actor"]


def test_what_people_did_on_their_own_students_and_the_erased_never_leave(
    tool: ToolAtTheDoor, cast: Cast, store: Store
) -> None:
    to = destination(cast, has_own=True)
    workshop = records.make_activity(by=cast.denise, organization=cast.district, name="Number talks", kind="workshop")
    own = records.record(by=cast.amara, verb=verbs.WATCHED, object="https://example.org/film", organization=cast.alder)
    attended = records.record(by=cast.tom, verb=verbs.ATTENDED, object=workshop, duration_s=60)
    pupil = records.record(by=cast.leo, verb=verbs.ATTENDED, object=workshop, duration_s=60)
    gone = records.record(by=cast.ben, verb=verbs.ATTENDED, object=workshop, duration_s=60)
    permissions.erase(by=cast.ben, person=cast.ben)
    run(to, store)
    assert str(attended.key) in store.ids
    assert {str(own.key), str(pupil.key), str(gone.key)}.isdisjoint(store.ids)
    # Deeds of administration belong to no activity either.
    assert set(store.ids) <= {
        str(key) for key in Statement.objects.exclude(activity=None).values_list("key", flat=True)
    }


def test_only_what_was_chosen_goes(tool: ToolAtTheDoor, cast: Cast, store: Store) -> None:
    other = ToolAtTheDoor(cast.district)
    to = destination(cast, tools=[tool.tool], activities=["https://vendor.example/courses"], verbs=[DID])
    wanted = tool.post(statement())
    other.post(statement())
    tool.post(statement(verb={"id": "https://vendor.example/verbs/other"}))
    tool.post(statement(object={"id": "https://vendor.example/coursesandmore"}))
    run(to, store)
    assert store.ids == wanted
    assert now(to).cursor == Statement.objects.order_by("pk").last().pk, "what is not for it is not looked at again"  # type: ignore[union-attr]


def test_with_an_entry_goes_the_one_that_voids_it(tool: ToolAtTheDoor, cast: Cast, store: Store) -> None:
    other = ToolAtTheDoor(cast.district)
    to = destination(cast, tools=[tool.tool])
    [mine], [theirs] = tool.post(statement()), other.post(statement())
    run(to, store)
    [voids] = tool.post(voiding(mine))
    other.post(voiding(theirs))
    run(to, store)
    assert store.ids == [mine, voids]


def test_another_districts_entries_are_not_there(
    tool: ToolAtTheDoor, other_tool: ToolAtTheDoor, state: Destination, store: Store
) -> None:
    other_tool.post(statement())
    run(state, store)
    assert store.ids == []


def test_from_now_on_means_from_now_on(tool: ToolAtTheDoor, cast: Cast, store: Store) -> None:
    tool.post(statement())
    to = destination(cast, is_from_now=True)
    later = tool.post(statement())
    run(to, store)
    assert store.ids == later


def test_switched_off_it_waits_and_goes_on_where_it_was(
    tool: ToolAtTheDoor, cast: Cast, state: Destination, store: Store
) -> None:
    first = tool.post(statement())
    run(state, store)
    forwarding.switch_destination(by=cast.omar, destination=state, is_on=False)
    second = tool.post(statement())
    assert run(state, store) == 0
    forwarding.switch_destination(by=cast.omar, destination=state, is_on=True)
    run(state, store)
    assert store.ids == first + second


def test_two_jobs_for_one_store_do_not_overtake_each_other(
    tool: ToolAtTheDoor, state: Destination, store: Store
) -> None:
    ids = tool.post(statement(), statement())

    def slow(url: str, body: bytes, headers: dict[str, str]) -> outside.Answer:
        run(state, store)  # the other one, meanwhile
        return store(url, body, headers)

    assert forwarding.forward(destination=now(state), post=slow) == 0
    assert (store.ids, now(state).forwarded) == (ids, 2)


def test_a_job_is_begun_only_where_something_waits_and_none_is_under_way(
    tool: ToolAtTheDoor, state: Destination
) -> None:
    assert forwarding.begin_all() == 0
    tool.post(statement())
    assert (forwarding.begin_all(), forwarding.begin_all()) == (1, 0)
    Job.objects.update(state=Job.State.DONE)
    Destination.objects.update(next_try_at=timezone.now() + timedelta(minutes=1))
    assert forwarding.begin_all() == 0


def test_attachments_go_by_address_alone(tool: ToolAtTheDoor, state: Destination, store: Store) -> None:
    told = {"usageType": "https://example.org/x", "display": {"en": "x"}, "contentType": "text/plain", "length": 2}
    tool.post(statement(attachments=[{**told, "sha2": "0" * 64, "fileUrl": "https://example.org/file"}]))
    run(state, store)
    [sent] = store.taken.values()
    assert [each["fileUrl"] for each in sent["attachments"]] == ["https://example.org/file"]


def test_the_secret_is_sealed_and_needs_the_sites_key(tool: ToolAtTheDoor, state: Destination, store: Store) -> None:
    tool.post(statement())
    assert SECRET not in json.dumps(list(Destination.objects.values()), default=str)
    run(state, store)
    assert store.requests
    assert sealing.unseal(state.sealed_secret) == SECRET
    tool.post(statement())
    with override_settings(SECRET_KEY=uuid.uuid4().hex):
        run(state, store)
    assert "type the secret again" in now(state).last_error


def test_only_the_districts_administrators_say_what_leaves(cast: Cast, state: Destination) -> None:
    fields = {"name": "X", "url": "https://lrs.example", "key_name": "k", "secret": "s"}
    for person in (cast.denise, cast.amara, cast.vera, cast.grace):
        with pytest.raises(PermissionDenied):
            forwarding.make_destination(by=person, tenant=cast.district, **fields)
        for deed in (forwarding.remove_destination, forwarding.try_again, forwarding.change_destination):
            with pytest.raises(PermissionDenied):
                deed(by=person, destination=state)
    forwarding.remove_destination(by=cast.omar, destination=state)
    assert now(state).sealed_secret == ""
    with pytest.raises(PermissionDenied):
        forwarding.switch_destination(by=cast.omar, destination=now(state), is_on=True)
