"""The API does the same deeds as the pages, for the same people, with the same refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from staffroom.seeing.lessons.models import Clip, Lesson, Moment
from tests.cast import Cast


def post(client: Client, address: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api{address}", body, content_type="application/json")


def test_the_whole_journey_by_program(cast: Cast, lesson: Lesson, client: Client) -> None:
    client.force_login(cast.amara)
    listed = client.get("/api/lessons/").json()
    assert [(each["title"], each["state"]) for each in listed["lessons"]] == [("Fractions on Tuesday", "ready")]
    body = {"start_ms": 250_000, "end_ms": 275_000, "kind": "question", "text": "Who thinks here?"}
    moment = post(client, f"/lessons/{lesson.key}/moments/", body).json()
    clip = post(client, f"/lessons/{lesson.key}/clips/", {"start_ms": 240_000, "end_ms": 300_000, "title": "C"}).json()
    until = (timezone.now() + timedelta(days=14)).isoformat()
    refused = post(client, f"/clips/{clip['key']}/shares/", {"until": until, "person": str(cast.ben.key)})
    assert (refused.status_code, "inside the school" in refused.json()["detail"]) == (422, True)
    lent = post(client, f"/clips/{clip['key']}/shares/", {"until": until, "person": str(cast.priya.key)})
    assert (lent.status_code, lent.json()["to"]) == (201, "Priya Nair")
    client.force_login(cast.priya)
    assert [each["key"] for each in client.get("/api/clips/").json()["clips"]] == [clip["key"]]
    noted = post(client, f"/clips/{clip['key']}/moments/", {"start_ms": 250_000, "text": "They do."})
    assert noted.status_code == 201
    assert post(client, f"/moments/{noted.json()['key']}/replies/", {"text": "See?"}).status_code == 201
    assert client.get(f"/api/lessons/{lesson.key}/").status_code == 404
    assert client.delete(f"/api/moments/{moment['key']}/").status_code == 404
    client.force_login(cast.amara)
    assert client.delete(f"/api/clips/{clip['key']}/shares/").status_code == 204
    client.force_login(cast.priya)
    assert client.get(f"/api/clips/{clip['key']}/").status_code == 404
    assert client.get("/api/clips/").json()["clips"] == []


def test_strangers_find_nothing_and_nobody_is_asked_to_sign_in(
    cast: Cast, lesson: Lesson, clip: Clip, client: Client
) -> None:
    assert client.get("/api/lessons/").status_code == 401
    client.force_login(cast.tom)
    moment = Moment.objects.create(lesson=lesson, author=cast.amara, start_ms=0, text="x", ends_on=timezone.localdate())
    for address in (f"/lessons/{lesson.key}/", f"/lessons/{lesson.key}/moments/", f"/clips/{clip.key}/",
                    f"/clips/{clip.key}/moments/", f"/clips/{clip.key}/shares/", f"/lessons/{uuid4()}/"):  # fmt: skip
        assert client.get(f"/api{address}").status_code == 404, address
    for address in (f"/lessons/{lesson.key}/", f"/clips/{clip.key}/", f"/moments/{moment.key}/"):
        assert client.delete(f"/api{address}").status_code == 404, address


def test_lists_are_walked_by_their_keys(cast: Cast, lesson: Lesson, client: Client) -> None:
    client.force_login(cast.amara)
    for second in (3, 1, 2, 2, 5):
        post(client, f"/lessons/{lesson.key}/moments/", {"start_ms": second * 1000, "text": "n"})
    seen, after = [], ""
    while True:
        page = client.get(f"/api/lessons/{lesson.key}/moments/", {"limit": 2, "after": after}).json()
        seen += [moment["start_ms"] for moment in page["moments"]]
        after = page["next"]
        if not after:
            break
    assert seen == [1000, 2000, 2000, 3000, 5000]
    assert client.get("/api/lessons/", {"limit": 1000}).status_code == 422


def test_nonsense_is_refused_in_words(cast: Cast, lesson: Lesson, client: Client) -> None:
    client.force_login(cast.amara)
    for body in ({}, {"start_ms": -1, "text": "x"}, {"start_ms": 10**18, "text": "x"}, {"start_ms": 0, "text": ""},
                 {"start_ms": 0, "text": "x", "element": 4}, {"start_ms": 0, "text": "x", "kind": "insult"}):  # fmt: skip
        answer = post(client, f"/lessons/{lesson.key}/moments/", body)
        assert (answer.status_code, bool(answer.json()["detail"])) == (422, True), body
    for body in ({}, {"title": ""}, {"title": "x", "section": 10**30}, {"title": "x", "section": 5},
                 {"title": "x", "taught_on": "2999-01-01"}):  # fmt: skip
        assert post(client, "/lessons/", body).status_code == 422, body
    assert not Moment.objects.exists()
