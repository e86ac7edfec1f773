"""A clip has loudness and small pictures like its lesson: those of its own seconds, taken out of what was made of the whole."""

from __future__ import annotations

import io
import json
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from staffroom.files.models import Derivative, File
from staffroom.seeing.lessons import actions
from staffroom.seeing.lessons.models import Clip
from tests.cast import Cast

STEP_MS, COUNT, WIDTH, HEIGHT = 6000, 100, 32, 16


def give_bytes(clip: Clip) -> None:
    """Ten minutes: a peak each 100 ms that tells its second, and a picture each six seconds whose shade tells its number."""
    peaks = [n // 10 % 101 for n in range(6000)]
    _put(clip, Derivative.Kind.WAVEFORM, json.dumps({"version": 1, "interval_ms": 100, "peaks": peaks}).encode(), {})
    sheet, written = Image.new("RGB", (10 * WIDTH, 10 * HEIGHT)), io.BytesIO()
    for n in range(COUNT):
        place = (n % 10 * WIDTH, n // 10 * HEIGHT)
        sheet.paste((2 * n, 2 * n, 2 * n), (*place, place[0] + WIDTH, place[1] + HEIGHT))
    sheet.save(written, "JPEG", quality=95)
    details = {"interval_ms": STEP_MS, "count": COUNT, "tile_width": WIDTH, "tile_height": HEIGHT}
    _put(clip, Derivative.Kind.STORYBOARD, written.getvalue(), details)


def _put(clip: Clip, kind: str, content: bytes, details: dict[str, Any]) -> None:
    assert clip.lesson.file is not None
    name = default_storage.save(f"derivatives/{clip.key}-{kind}", ContentFile(content))
    made = clip.lesson.file.derivatives.filter(kind=kind)
    assert made.update(path=name, size=len(content), details=details) == 1


def test_a_clip_brings_the_loudness_of_its_own_seconds(client: Client, cast: Cast, lent: Clip) -> None:
    give_bytes(lent)
    client.force_login(cast.priya)
    assert f'data-waveform="/clips/{lent.key}/waveform.json"' in client.get(lent.get_absolute_url()).content.decode()
    found = client.get(f"/clips/{lent.key}/waveform.json").json()
    assert found["peaks"] == [n // 10 % 101 for n in range(2400, 3000)]


def test_a_clip_brings_small_pictures_of_its_own_seconds(client: Client, cast: Cast, lent: Clip) -> None:
    give_bytes(lent)
    client.force_login(cast.priya)
    answer = client.get(f"/clips/{lent.key}/storyboard.jpg")
    assert answer["Content-Type"] == "image/jpeg"
    sheet = Image.open(io.BytesIO(answer.content))
    # A minute in steps of two seconds: thirty pictures, ten in a row.
    assert sheet.size == (10 * WIDTH, 3 * HEIGHT)
    numbers = [sheet.getpixel((n % 10 * WIDTH + WIDTH // 2, n // 10 * HEIGHT + HEIGHT // 2)) for n in range(30)]
    shown = [round(pixel[0] / 2) for pixel in numbers if isinstance(pixel, tuple)]
    expected = [40 + 2 * n // 6 for n in range(30)]
    assert all(abs(a - b) <= 1 for a, b in zip(shown, expected, strict=True)), shown
    assert min(shown) >= 39
    assert max(shown) <= 50


def test_the_player_is_told_how_many_pictures_a_second_there_are(client: Client, cast: Cast, lent: Clip) -> None:
    """As the recording has them; what was encoded again, as a clip always is, has at most 30."""
    File.objects.update(streams={"video": {"codec": "h264", "rate": 59.94}})
    Derivative.objects.filter(kind=Derivative.Kind.WEB_VIDEO).update(details={"is_copied": True})
    client.force_login(cast.amara)
    assert 'data-frame-rate="59.940"' in client.get(lent.lesson.get_absolute_url()).content.decode()
    assert 'data-frame-rate="30.000"' in client.get(lent.get_absolute_url()).content.decode()


def test_they_end_with_the_loan_and_strangers_find_none(client: Client, cast: Cast, lent: Clip) -> None:
    give_bytes(lent)
    for name in ("tom", "grace", "omar"):
        client.force_login(cast.people[name])
        assert client.get(f"/clips/{lent.key}/waveform.json").status_code == 404
        assert client.get(f"/clips/{lent.key}/storyboard.jpg").status_code == 404
    actions.retract_clip(by=cast.amara, clip=lent)
    client.force_login(cast.priya)
    assert client.get(f"/clips/{lent.key}/waveform.json").status_code == 404
    assert client.get(f"/clips/{lent.key}/storyboard.jpg").status_code == 404


def test_bytes_that_are_gone_are_no_error(client: Client, cast: Cast, lent: Clip) -> None:
    client.force_login(cast.priya)
    assert client.get(f"/clips/{lent.key}/waveform.json").json() == {"peaks": []}
    assert client.get(f"/clips/{lent.key}/storyboard.jpg").status_code == 404
