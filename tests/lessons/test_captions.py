"""Captions: what is said, brought by the owner as WebVTT. Who may see a clip reads those of its seconds, and no word more."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from staffroom.seeing.lessons import actions, captions
from staffroom.seeing.lessons.captions import Cue
from staffroom.seeing.lessons.models import Clip, Lesson
from tests.cast import Cast

GOOD = """WEBVTT - my lesson

STYLE
::cue { background: url(https://elsewhere.example/) }

NOTE not for anybody --> else

1
00:03:58.000 --> 00:04:02.000 align:start
Who would like to try?

04:10.000 --> 04:13.500
<v Amara>What do <b>you</b> see?
Take your time.

05:00.000 --> 05:04.000
<c.loud>Thank you all.</c>
"""
BAD = (
    "", "hello", "WEBVTTX\n\n00:01.000 --> 00:02.000\nx", "WEBVTT\n", "WEBVTT\n\n00:05.000 --> 00:04.000\nbackwards",
    "WEBVTT\n\n4:10 --> 4:13\nno milliseconds", "WEBVTT\n\n00:61.000 --> 00:62.000\nno minute has 61 seconds",
    "WEBVTT\n\n00:01.000 --> soon\nx",
)  # fmt: skip


def bring(client: Client, lesson: Lesson, content: bytes) -> int:
    file = SimpleUploadedFile("lesson.vtt", content, content_type="text/vtt")
    return client.post(f"/lessons/{lesson.slug}/captions/", {"file": file}).status_code


def test_the_owner_brings_captions_and_her_player_shows_them(client: Client, cast: Cast, lesson: Lesson) -> None:
    client.force_login(cast.amara)
    page = client.get(lesson.get_absolute_url()).content.decode()
    assert 'kind="captions"' not in page, "notes are no captions"
    assert 'kind="metadata"' in page
    assert bring(client, lesson, GOOD.encode()) == 302
    page = client.get(lesson.get_absolute_url()).content.decode()
    assert f'<track kind="captions" label="Captions" srclang="en" src="/lessons/{lesson.slug}/captions.vtt">' in page
    answer = client.get(f"/lessons/{lesson.slug}/captions.vtt")
    assert answer["Content-Type"] == "text/vtt; charset=utf-8"
    said = answer.content.decode()
    assert "00:04:10.000 --> 00:04:13.500\nWhat do <b>you</b> see?\nTake your time.\n" in said
    assert "elsewhere" not in said
    assert "not for anybody" not in said
    client.post(f"/lessons/{lesson.slug}/captions/", {"deed": "remove"})
    assert client.get(f"/lessons/{lesson.slug}/captions.vtt").content == b"WEBVTT\n"


@pytest.mark.parametrize("content", BAD)
def test_what_is_no_webvtt_is_refused_in_words_and_changes_nothing(
    client: Client, cast: Cast, lesson: Lesson, content: str
) -> None:
    actions.caption_lesson(by=cast.amara, lesson=lesson, raw=GOOD.encode())
    before = Lesson.objects.get(pk=lesson.pk).captions
    client.force_login(cast.amara)
    assert bring(client, lesson, content.encode()) == 422
    assert bring(client, lesson, b"WEBVTT\n\n\xff\xfe") == 422
    assert Lesson.objects.get(pk=lesson.pk).captions == before


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValidationError, match="1 MB"):
        captions.read_captions(b"WEBVTT\n\n" + b"x" * captions.LARGEST_BYTES)


def test_a_clip_shows_the_words_of_its_seconds_and_no_others(client: Client, cast: Cast, lent: Clip) -> None:
    actions.caption_lesson(by=cast.amara, lesson=lent.lesson, raw=GOOD.encode())
    client.force_login(cast.priya)
    assert 'kind="captions"' in client.get(lent.get_absolute_url()).content.decode()
    said = client.get(f"/clips/{lent.key}/captions.vtt").content.decode()
    assert said == "WEBVTT\n\n00:00:10.000 --> 00:00:13.500\nWhat do <b>you</b> see?\nTake your time.\n"
    assert client.get(f"/lessons/{lent.lesson.slug}/captions.vtt").status_code == 404
    actions.retract_clip(by=cast.amara, clip=lent)
    assert client.get(f"/clips/{lent.key}/captions.vtt").status_code == 404


def test_a_stranger_may_not_bring_captions(client: Client, cast: Cast, lesson: Lesson) -> None:
    client.force_login(cast.priya)
    assert bring(client, lesson, GOOD.encode()) == 404
    with pytest.raises(PermissionDenied):
        actions.caption_lesson(by=cast.priya, lesson=lesson, raw=GOOD.encode())


TIMES = st.integers(0, 7_200_000)
WORDS = st.text("abc éñ?.,-", min_size=1).filter(str.strip)


@given(st.lists(st.builds(lambda at, long, text: Cue(at, at + long, text.strip()), TIMES, st.integers(1, 9000), WORDS)))
def test_what_was_written_is_read_back(cues: list[Cue]) -> None:
    cues = sorted((cue for cue in cues if "-->" not in cue.text), key=lambda cue: (cue.start_ms, cue.end_ms))
    if cues:
        assert captions.read_captions(captions.written(cues).encode()) == cues


@given(st.lists(st.builds(lambda at, long: Cue(at, at + long, "word"), TIMES, st.integers(1, 9000)), min_size=1), TIMES)
def test_no_cue_of_a_clip_reaches_beyond_it(cues: list[Cue], start_ms: int) -> None:
    cut = captions.between(captions.written(cues), start_ms, start_ms + 60_000)
    inside = captions.read_captions(cut.encode()) if "-->" in cut else []
    assert all(0 <= cue.start_ms < cue.end_ms <= 60_000 for cue in inside)
    assert len(inside) == sum(start_ms <= cue.start_ms < start_ms + 60_000 for cue in cues)
