"""The pages about forwarding: what is typed, what is shown, and that the secret is shown to nobody."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from staffroom.exchange.actions import forwarding
from staffroom.exchange.models import Destination, PutAside
from tests.cast import Cast
from tests.exchange.knocking import COURSE, DID, ToolAtTheDoor, statement
from tests.exchange.storing import Store

pytestmark = pytest.mark.django_db
SECRET = "a secret of the state"
TYPED = {
    "name": "State", "url": "https://lrs.example/xapi/statements", "key_name": "our-key", "secret": SECRET, "major": "2",
    "has_tools": "on", "verbs": f"{DID}\n\n", "activities": "",
}  # fmt: skip


@pytest.fixture
def omar(client: Client, cast: Cast) -> Client:
    client.force_login(cast.omar)
    return client


def add(omar: Client, **changes: Any) -> Any:
    return omar.post("/tools/forwarding/new/", {**TYPED, **changes})


def test_a_store_is_added_and_its_secret_never_shown_again(omar: Client, cast: Cast) -> None:
    assert add(omar).status_code == 302
    made = Destination.objects.get()
    assert (made.tenant, made.url, made.major, made.verbs) == (cast.district, "https://lrs.example/xapi", 2, [DID])
    for page in ("", f"{made.pk}/", f"{made.pk}/change/"):
        shown = omar.get(f"/tools/forwarding/{page}").content.decode()
        assert "State" in shown
        assert SECRET not in shown
        assert made.sealed_secret not in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"secret": ""}, "let us in"), ({"url": "http://lrs.example"}, "use https"), ({"url": "https://127.0.0.1/"}, "inside of a network"),
     ({"has_tools": ""}, "at least one"), ({"major": "3"}, "valid choice")],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_words(omar: Client, changes: dict[str, str], words: str) -> None:
    answer = add(omar, **changes)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert SECRET not in answer.content.decode()
    assert not Destination.objects.exists()


def test_without_a_secret_typed_the_known_one_stays(omar: Client) -> None:
    add(omar)
    made = Destination.objects.get()
    changed = omar.post(f"/tools/forwarding/{made.pk}/change/", {**TYPED, "secret": "", "name": "The state"})
    assert changed.status_code == 302
    again = Destination.objects.get()
    assert (again.name, again.sealed_secret) == ("The state", made.sealed_secret)


def test_what_waits_and_what_was_refused_is_shown_and_sent_again(omar: Client, cast: Cast, tool: ToolAtTheDoor) -> None:
    add(omar)
    made, store = Destination.objects.get(), Store()
    tool.post(statement(), statement())
    assert ">2<" in omar.get(f"/tools/forwarding/{made.pk}/").content.decode().replace(" ", "").replace("\n", "")
    store.refuses = lambda body: 400
    forwarding.forward(destination=made, post=store)
    page = omar.get(f"/tools/forwarding/{made.pk}/").content.decode()
    assert "breaks a rule" in page
    assert COURSE in page
    assert omar.post(f"/tools/forwarding/{made.pk}/again/").status_code == 302
    assert PutAside.objects.filter(is_wanted_again=True).count() == 2


def test_it_is_switched_off_and_on_and_removed(omar: Client) -> None:
    add(omar)
    made = Destination.objects.get()
    for is_on in (False, True):
        omar.post(f"/tools/forwarding/{made.pk}/switch/")
        assert Destination.objects.get().is_on == is_on
    omar.post(f"/tools/forwarding/{made.pk}/remove/")
    assert omar.get(f"/tools/forwarding/{made.pk}/").status_code == 404
    assert "Nothing leaves" in omar.get("/tools/forwarding/").content.decode()


@pytest.mark.parametrize("who", ["amara", "denise", "grace", "vera"])
def test_others_find_no_such_page(client: Client, cast: Cast, who: str) -> None:
    made = forwarding.make_destination(
        by=cast.omar, tenant=cast.district, name="State", url="https://lrs.example", key_name="k", secret="s"
    )
    client.force_login(getattr(cast, who))
    for page in ("", "new/", f"{made.pk}/", f"{made.pk}/change/"):
        assert client.get(f"/tools/forwarding/{page}").status_code == 404
