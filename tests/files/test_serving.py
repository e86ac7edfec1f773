"""Media goes out by links that are bound to a viewer, and stops when it may no longer be seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from staffroom.files import actions, keeping, queries
from staffroom.files.models import Derivative, File
from staffroom.permissions.actions import approve_break_glass, ask_break_glass, make_circle, retract, set_policy, share
from staffroom.permissions.models import CircleMember, Share

BODY = bytes(range(251)) * 4000  # about 1 MB: several pieces


@pytest.fixture
def clip(cast):
    """Something of Amara's that is ready to be served."""
    file = File.objects.create(
        owner=cast.amara, name="lesson.mp4", kind="video", size=5, state="ready", path="", ends_on=timezone.localdate()
    )
    derivative = Derivative.objects.create(
        file=file, kind="clip", start_ms=0, end_ms=900, state="ready", media_type="video/mp4", size=len(BODY),
        made_at=timezone.now(),
    )  # fmt: skip
    derivative.path = keeping.derivative_name(derivative.key, ".mp4")
    derivative.save()
    source = keeping.workbench() / "x"
    source.write_bytes(BODY)
    keeping.keep(source, derivative.path)
    return derivative


def lend(clip, person, **fields):
    return share(
        by=clip.file.owner, about=clip.file, audience=fields.pop("audience", "person"), person=person,
        expires_at=timezone.now() + timedelta(days=14), **fields,
    )  # fmt: skip


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_the_owner_sees_her_clip(cast, clip):
    answer = signed_in(cast.amara).get(queries.media_url(cast.amara, clip, filename="my lesson.mp4"))
    assert answer.status_code == 200
    assert body(answer) == BODY
    assert (answer["Content-Type"], answer["Content-Length"]) == ("video/mp4", str(len(BODY)))
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in answer["Cache-Control"]


def test_a_link_works_for_its_viewer_only(cast, clip):
    url = queries.media_url(cast.amara, clip)
    for name in ("tom", "priya", "grace", "denise", "omar", "ruth", "ben", "vera"):
        assert signed_in(getattr(cast, name)).get(url).status_code == 404
    assert Client().get(url).status_code == 404


def test_nobody_but_the_owner_gets_a_link_without_a_share(cast, clip):
    for name in ("tom", "priya", "grace", "denise", "omar", "ruth", "ben", "vera"):
        with pytest.raises(PermissionDenied):
            queries.media_url(getattr(cast, name), clip)
    with pytest.raises(PermissionDenied):
        queries.media_url(None, clip)


def test_a_coach_sees_what_was_lent_to_her_and_no_other_does(cast, clip):
    lent = lend(clip, cast.priya)
    url = queries.media_url(cast.priya, clip, lent)
    assert body(signed_in(cast.priya).get(url)) == BODY
    assert signed_in(cast.tom).get(url).status_code == 404
    with pytest.raises(PermissionDenied):
        queries.media_url(cast.tom, clip, lent)


def test_a_share_of_another_owner_opens_nothing(cast, clip):
    foreign = share(by=cast.tom, about=cast.section, audience="person", person=cast.priya,
                    expires_at=timezone.now() + timedelta(days=1))  # fmt: skip
    with pytest.raises(PermissionDenied):
        queries.media_url(cast.priya, clip, foreign)


def test_taking_a_share_back_refuses_the_next_request_and_the_next_byte(cast, clip):
    lent = lend(clip, cast.priya)
    client, url = signed_in(cast.priya), queries.media_url(cast.priya, clip, lent)
    answer = client.get(url)
    pieces = iter(answer.streaming_content)
    first = next(pieces)
    assert first == BODY[: len(first)]
    assert len(first) <= 256 * 1024
    retract(by=cast.amara, share=lent)
    assert list(pieces) == []
    assert client.get(url).status_code == 404
    assert client.get(url, headers={"Range": "bytes=5-9"}).status_code == 404
    with pytest.raises(PermissionDenied):
        queries.media_url(cast.priya, clip, lent)


@pytest.mark.parametrize("ending", ["expiry", "removal", "sign-out", "derivative", "membership"])
def test_whatever_ends_the_right_ends_the_bytes(cast, clip, ending, monkeypatch):
    monkeypatch.setattr(queries.Permit, "SESSION_EVERY_S", 0.0)
    circle = make_circle(by=cast.amara, name="math", members=[cast.priya])
    lent = lend(clip, None, audience="circle", circle=circle)
    client, url = signed_in(cast.priya), queries.media_url(cast.priya, clip, lent)
    pieces = iter(client.get(url).streaming_content)
    next(pieces)
    if ending == "expiry":
        monkeypatch.setattr(queries.timezone, "now", lambda: lent.expires_at + timedelta(seconds=1))
    elif ending == "removal":
        actions.remove(clip.file)
    elif ending == "derivative":
        Derivative.objects.update(state="failed")
    elif ending == "membership":
        CircleMember.objects.filter(person=cast.priya).delete()
    else:
        client.logout()
    if ending != "membership":
        assert list(pieces) == []
    monkeypatch.undo()
    if ending == "expiry":
        Share.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(url).status_code == 404


def test_a_link_grows_old(cast, clip, settings):
    url = queries.media_url(cast.amara, clip)
    settings.MEDIA_S = -1
    assert signed_in(cast.amara).get(url).status_code == 404


FORGED = ["x", "e30:abc:def", signing.dumps({"v": 1}, salt="other"), "%00", "a" * 3000]


@pytest.mark.parametrize("forged", FORGED, ids=["a letter", "a wrong signature", "another salt", "a zero", "too long"])
def test_a_forged_link_opens_nothing(cast, clip, forged):
    assert signed_in(cast.amara).get(f"/media/{forged}/clip.mp4").status_code == 404


def test_a_link_that_was_changed_opens_nothing(cast, clip):
    url = queries.media_url(cast.amara, clip)
    signed = url.split("/")[2]
    for at in range(0, len(signed), 7):
        changed = signed[:at] + ("A" if signed[at] != "A" else "B") + signed[at + 1 :]
        assert signed_in(cast.amara).get(url.replace(signed, changed)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-0", 206, 0, 0),
        ("bytes=100-299999", 206, 100, 299_999),
        ("bytes=1000000-", 206, 1_000_000, len(BODY) - 1),
        ("bytes=-7", 206, len(BODY) - 7, len(BODY) - 1),
        (f"bytes=-{len(BODY) * 2}", 206, 0, len(BODY) - 1),
        (f"bytes=5-{len(BODY) * 9}", 206, 5, len(BODY) - 1),
        ("bytes=9-3", 200, 0, len(BODY) - 1),
        ("bytes=0-1,5-9", 200, 0, len(BODY) - 1),
        ("lines=0-1", 200, 0, len(BODY) - 1),
        ("bytes=-", 200, 0, len(BODY) - 1),
    ],
)
def test_ranges(cast, clip, asked, status, first, last):
    answer = signed_in(cast.amara).get(queries.media_url(cast.amara, clip), headers={"Range": asked})
    assert answer.status_code == status
    assert body(answer) == BODY[first : last + 1]
    assert answer["Content-Length"] == str(last - first + 1)
    if status == 206:
        assert answer["Content-Range"] == f"bytes {first}-{last}/{len(BODY)}"


@pytest.mark.parametrize("asked", [f"bytes={len(BODY)}-", "bytes=99999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(cast, clip, asked):
    answer = signed_in(cast.amara).get(queries.media_url(cast.amara, clip), headers={"Range": asked})
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(BODY)}")


def test_a_range_of_an_older_version_gets_the_whole(cast, clip):
    client, url = signed_in(cast.amara), queries.media_url(cast.amara, clip)
    tag = client.head(url)["ETag"]
    assert client.get(url, headers={"Range": "bytes=0-1", "If-Range": tag}).status_code == 206
    assert client.get(url, headers={"Range": "bytes=0-1", "If-Range": '"older"'}).status_code == 200


def test_head_tells_all_but_the_bytes(cast, clip):
    answer = signed_in(cast.amara).head(queries.media_url(cast.amara, clip))
    assert (answer.status_code, answer["Content-Length"], answer["Accept-Ranges"]) == (200, str(len(BODY)), "bytes")
    assert body(answer) == b""


def test_a_link_is_only_read(cast, clip):
    assert signed_in(cast.amara).post(queries.media_url(cast.amara, clip)).status_code == 405


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, len(BODY) + 10), length=st.integers(0, 600_000))
def test_every_range_is_that_part_of_the_whole(cast, clip, start, length):
    answer = signed_in(cast.amara).get(
        queries.media_url(cast.amara, clip), headers={"Range": f"bytes={start}-{start + length}"}
    )
    if start >= len(BODY):
        assert answer.status_code == 416
    else:
        assert body(answer) == BODY[start : start + length + 1]


def test_downloads_need_the_owner_or_a_share_that_allows_them(cast, clip):
    lent = lend(clip, cast.priya)
    with pytest.raises(PermissionDenied):
        queries.media_url(cast.priya, clip, lent, is_download=True)
    set_policy(by=cast.omar, organization=cast.district, settings={"may_download": True})
    generous = lend(clip, cast.priya, may_download=True)
    answer = signed_in(cast.priya).get(queries.media_url(cast.priya, clip, generous, "clip.mp4", is_download=True))
    assert answer["Content-Disposition"] == 'attachment; filename="clip.mp4"'
    assert body(answer) == BODY


def test_only_the_owner_gets_her_original_back_and_never_as_a_page(cast, sample):
    file = actions.take_in(by=cast.amara, name="../../évil page.html.mp4", stream_or_path=sample("plain"))
    url = queries.original_url(cast.amara, file)
    answer = signed_in(cast.amara).get(url)
    assert body(answer) == sample("plain").read_bytes()
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert ".." not in url
    assert signed_in(cast.priya).get(url).status_code == 404
    with pytest.raises(PermissionDenied):
        queries.original_url(cast.priya, file)


def test_an_active_type_is_never_served(cast, clip):
    Derivative.objects.update(media_type="text/html")
    answer = signed_in(cast.amara).get(queries.media_url(cast.amara, clip))
    assert answer["Content-Type"] == "application/octet-stream"


def test_two_administrators_open_it_until_their_time_is_over(cast, clip):
    request = ask_break_glass(
        by=cast.omar, about=clip.file, owner=cast.amara, reason="A safeguarding concern was raised."
    )
    with pytest.raises(PermissionDenied):
        queries.media_url(cast.omar, clip, break_glass=request)
    glass = approve_break_glass(by=cast.ines, request=request)
    url = queries.media_url(cast.omar, clip, break_glass=glass)
    assert body(signed_in(cast.omar).get(url)) == BODY
    assert signed_in(cast.ines).get(url).status_code == 404
    with pytest.raises(PermissionDenied):
        queries.media_url(cast.denise, clip, break_glass=glass)
    glass.expires_at = timezone.now() - timedelta(seconds=1)
    glass.save()
    assert signed_in(cast.omar).get(url).status_code == 404


def test_what_is_public_needs_no_account(cast, clip):
    set_policy(by=cast.omar, organization=cast.district, settings={"may_share_outside_district": True})
    lent = lend(clip, None, audience="public")
    url = queries.media_url(None, clip, lent)
    assert body(Client().get(url)) == BODY
    retract(by=cast.amara, share=lent)
    assert Client().get(url).status_code == 404
