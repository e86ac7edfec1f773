"""One site forwards to another over real HTTP, which dies in the middle: everything arrives, once, in everybody's order."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosting.conftest import Place, wait_until

pytestmark = pytest.mark.slow
RECEIVER = """
from staffroom.exchange.actions import keys
from staffroom.people.models import Organization
state = Organization.objects.create(name="State", slug="state", kind="district")
key, secret = keys.make_key(by=None, tool=keys.add_tool(by=None, organization=state, name="Riverbend"), scopes=["all"])
print(f"{key.name}:{secret}")
"""
SENDER = """
import json, uuid
from staffroom.exchange.actions import forwarding, keys, receiving
from staffroom.people.models import Membership, Organization, Person, Role
district = Organization.objects.create(name="Riverbend", slug="riverbend", kind="district")
omar = Person.objects.create_user("omar@riverbend.example", given_name="Omar")
Membership.objects.create(person=omar, organization=district, role=Role.ADMINISTRATOR)
tool = keys.add_tool(by=None, organization=district, name="Vendor")
key, _secret = keys.make_key(by=None, tool=tool, scopes=["all"])
caller = keys.caller(key_id=key.pk, tool=tool, scopes="all")
for batch in range(12):
    receiving.receive(caller=caller, major=1, bodies=[
        {"actor": {"mbox": f"mailto:teacher{n % 5}@riverbend.example"}, "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
         "object": {"id": f"https://vendor.example/{batch}/{n}"}} for n in range(50)])
forwarding.make_destination(by=omar, tenant=district, name="State", url=URL, key_name=KEY, secret=SECRET)
"""
# The third request kills the server before it is sent, so that it dies with what went before acknowledged.
FORWARD = """
import json, os, signal
from staffroom.exchange import outside
from staffroom.exchange.actions import forwarding
from staffroom.exchange.models import Destination
left = KILL_AFTER
def post(url, body, headers):
    global left
    left -= 1
    if left == 0:
        for pid in PIDS:
            os.kill(pid, signal.SIGKILL)
    return outside.post(url, body, headers)
to = Destination.objects.get()
sent = forwarding.forward(destination=to, post=post)
to.refresh_from_db()
print(json.dumps([sent, to.last_error, to.forwarded]))
"""
ORDER = """
import json
from staffroom.records.models import Statement
rows = Statement.objects.filter(tool__isnull=False).order_by("pk").values_list("key", "body")
print(json.dumps([[str(key), json.dumps(body["actor"], sort_keys=True)] for key, body in rows]))
"""


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "receiver")
    yield place
    place.end()


def serve(place: Place) -> list[int]:
    """Serve it; returns the numbers of its processes, the one that minds the others first."""
    process = place.begin("start", "--no-worker")
    place.await_answer()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [process.pid, *map(int, children)]


def test_a_site_gets_everything_once_and_in_order_though_it_dies_in_the_middle(place: Place, receiver: Place) -> None:
    receiver.make_tables()
    key, secret = receiver.python(RECEIVER).split(":")
    pids = serve(receiver)
    place.make_tables()
    place.environment["STAFFROOM_FORWARD_TO_PRIVATE"] = "true"
    url = f"{receiver.url}/xapi"
    place.python(f"URL, KEY, SECRET = {url!r}, {key!r}, {secret!r}\n{SENDER}")

    def forward(kill_after: int = 0) -> tuple[int, str, int]:
        sent, error, taken = json.loads(
            place.python(f"KILL_AFTER, PIDS = {kill_after}, {pids!r}\n{FORWARD}").splitlines()[-1]
        )
        return sent, error, taken

    sent, error, taken = forward(kill_after=3)
    assert (sent, taken) == (200, 200)
    assert error
    wait_until(lambda: not any(is_alive(pid) for pid in pids), 60)
    serve(receiver)
    assert forward() == (400, "", 600)
    assert forward() == (0, "", 600)

    before, after = json.loads(place.python(ORDER)), json.loads(receiver.python(ORDER))
    assert len(before) == len({key for key, _actor in after}) == len(after) == 600
    assert [key for key, _actor in after] == [key for key, _actor in before]
    assert len({actor for _key, actor in after}) == 5
    assert "riverbend.example" not in json.dumps(after)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
