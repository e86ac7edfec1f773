"""Two administrators open a lesson that is its owner's alone: both words, a reason, a short time, a line in her log."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from staffroom.permissions.models import BreakGlass
from staffroom.permissions.queries import accesses_to
from staffroom.seeing.lessons.models import Lesson
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
