"""Two administrators open a lesson that is its owner's alone: both words, a reason, a short time, a line in her log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from staffroom.conversations.models import Notice
from staffroom.permissions.models import BreakGlass
from staffroom.permissions.queries import accesses_to
from staffroom.seeing.lessons.models import Clip, Lesson
from tests.cast import Cast

REASON = "A parent reports a threat that was said in this lesson."


def status(cast: Cast, name: str, address: str) -> int:
    browser = Client()
    browser.force_login(getattr(cast, name))
    return browser.get(address).status_code


def test_both_administrators_open_it_for_a_time_and_nobody_else(cast: Cast, lesson: Lesson, client: Client) -> None:
    address = f"/lessons/opened/{lesson.key}/"
    client.force_login(cast.omar)
    client.post(f"/break-glass/lesson/{lesson.key}/", {"reason": REASON})
    assert status(cast, "omar", address) == 404, "asking alone opens nothing"
    client.force_login(cast.ines)
    client.post(f"/break-glass/{BreakGlass.objects.get().pk}/", {"word": "approve"})
    assert address in client.get("/break-glass/").content.decode()
    assert "/media/" in client.get(address).content.decode()
    assert status(cast, "omar", address) == 200
    others = {
        name: status(cast, name, address) for name in ("amara", "tom", "priya", "grace", "denise", "ruth", "vera")
    }
    assert set(others.values()) == {404}, others
    log = accesses_to(cast.amara)
    assert {(access.viewer, access.break_glass.reason) for access in log if access.break_glass} == {
        (cast.omar, REASON),
        (cast.ines, REASON),
    }
    BreakGlass.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert status(cast, "omar", address) == status(cast, "ines", address) == 404


def test_an_administrator_asks_by_the_address_of_a_clip_that_was_reported(
    cast: Cast, clip: Clip, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(cast.omar)
    assert 'href="/break-glass/"' in client.get("/notices/").content.decode()
    asking = client.get("/break-glass/", {"address": f"https://staffroom.example/clips/{clip.key}/"})
    assert asking.status_code == 302
    with django_capture_on_commit_callbacks(execute=True):
        client.post(asking["Location"], {"reason": REASON})
    assert BreakGlass.objects.get().about == clip.lesson
    waiting = Notice.objects.get(recipient=cast.ines)
    assert (waiting.kind, waiting.url, waiting.actor) == ("glass_waits", "/break-glass/", cast.omar)
    assert not Notice.objects.filter(recipient=cast.omar).exists()
    unknown = client.get("/break-glass/", {"address": "/clips/0ce1ee02-5005-4ba6-977e-aead1adda3b0/"})
    assert "Nothing that you could ask for" in unknown.content.decode()
    client.force_login(cast.vera)
    elsewhere = client.get("/break-glass/", {"address": f"/clips/{clip.key}/"})
    assert elsewhere.status_code in (200, 404), "the administrator of another district is not led on"
    client.force_login(cast.grace)
    assert 'href="/break-glass/"' not in client.get("/notices/").content.decode()
