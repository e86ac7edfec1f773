"""What arrives is looked at: phones, laptops, browsers' recorders, accidents, and files made to do harm."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path

import pytest

from staffroom.files import sentences
from staffroom.files.media import apart, limits, probing
from staffroom.files.media.limits import Failed, Refused
from tests.files.media_samples import VOICES, Sample, write

PHONE = {"container": "mov", "video": "libx265", "rotation": -90, "size": (192, 108)}
BROWSER = {"container": "webm", "video": "libvpx", "audio": "libopus", "is_live": True}


def look(path, name=""):
    return probing.look(path, name or path.name)


@pytest.mark.parametrize(
    ("name", "special", "kind", "media_type"),
    [
        ("plain", {}, "video", "video/mp4"),
        ("phone", PHONE, "video", "video/quicktime"),
        ("browser", BROWSER, "video", "video/webm"),
        ("browser-mp4", {"is_live": True}, "video", "video/mp4"),
        ("variable", {"is_variable": True, "seconds": 4.0}, "video", "video/mp4"),
        ("mute", {"audio": None}, "video", "video/mp4"),
        ("silent", {"is_silent": True}, "video", "video/mp4"),
        ("sound", {"video": None}, "audio", "audio/mp4"),
    ],
)
def test_recordings_of_phones_and_browsers_are_understood(sample, name, special, kind, media_type):
    facts = look(sample(name, **special))
    assert (facts["kind"], facts["media_type"]) == (kind, media_type)
    assert abs(facts["duration_ms"] - special.get("seconds", 2.0) * 1000) < 150
    assert bool(facts["details"]["audio"]) == (special.get("audio", "aac") is not None)
    assert not facts["details"]["is_cut"]


def test_a_phone_held_upright_has_an_upright_picture(sample):
    facts = look(sample("phone", **PHONE))
    assert (facts["width"], facts["height"]) == (108, 192)
    assert facts["details"]["video"]["codec"] == "hevc"


def test_a_browser_recording_without_duration_gets_its_true_one(sample):
    import av

    path = sample("browser", **BROWSER)
    with av.open(str(path)) as container:
        assert container.duration is None
    assert abs(look(path)["duration_ms"] - 2000) < 60


def cut(path: Path, tmp_path: Path, part: float) -> Path:
    data = path.read_bytes()
    cut_path = tmp_path / f"cut{path.suffix}"
    cut_path.write_bytes(data[: int(len(data) * part)])
    return cut_path


def test_a_browser_recording_that_breaks_off_is_used_as_far_as_it_goes(sample, tmp_path):
    path = sample("long-browser", **{**BROWSER, "seconds": 6.0})
    facts = look(cut(path, tmp_path, 0.6))
    assert 1000 < facts["duration_ms"] < 5500


def test_a_recording_in_front_of_whose_index_it_breaks_off_is_refused_with_advice(sample, tmp_path):
    with pytest.raises(Refused) as refused:
        look(cut(sample("plain"), tmp_path, 0.6))
    assert refused.value.code == "cut_before_index"
    assert "upload it again" in sentences.refusal(refused.value.code)


def test_a_recording_whose_index_came_first_is_used_as_far_as_it_goes(sample, tmp_path):
    from staffroom.files.media import web

    whole = tmp_path / "whole.mp4"
    web.make_video(sample("long", seconds=8.0), whole, lambda done, total: None)
    facts = look(cut(whole, tmp_path, 0.6))
    assert facts["details"]["is_cut"]
    assert 2000 < facts["duration_ms"] < 7000


@pytest.mark.slow
def test_a_file_of_four_gigabytes_is_looked_at(sample, tmp_path):
    path = tmp_path / "huge.mp4"
    path.write_bytes(sample("plain").read_bytes())
    with path.open("ab") as file:
        length = 4 * 1024**3
        file.write(struct.pack(">I4sQ", 1, b"free", length))
        file.truncate(path.stat().st_size + length)
    facts = apart.run("look", path=path, name="huge.mp4", cpu_s=120)
    assert (facts["kind"], facts["duration_ms"]) == ("video", 2000)


def test_three_hours_are_a_lesson_and_thirteen_are_not(tmp_path):
    three = write(tmp_path / "three.mp4", Sample(fps=1, audio=None, seconds=2))
    assert look(slowed(three, 3 * 3600 / 2))["duration_ms"] == pytest.approx(3 * 3_600_000, rel=0.01)
    with pytest.raises(Refused, match="too_long"):
        look(slowed(write(tmp_path / "thirteen.mp4", Sample(fps=1, audio=None, seconds=2)), 13 * 3600 / 2))


def slowed(path: Path, factor: float) -> Path:
    """The same frames over a longer time."""
    import av

    slow = path.with_name(f"slow-{path.name}")
    with av.open(str(path)) as source, av.open(str(slow), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is None:
                continue
            packet.pts, packet.dts = round(packet.pts * factor), round(packet.dts * factor)
            packet.duration = round(packet.duration * factor)
            packet.stream = stream
            target.mux(packet)
    return slow


# --- files that are no recordings


def zipped(entries: dict[str, bytes], compression=zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return made.getvalue()


def png(width: int, height: int) -> bytes:
    """A picture whose header promises a size, with hardly any pixels behind it."""
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def symlink() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return made.getvalue()


def locked() -> bytes:
    data = bytearray(zipped({"a": b"a"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


REFUSED = {
    "empty": (b"", "empty"),
    "noise": (random.Random(1).randbytes(5000), "unknown_kind"),
    "page.html": (b"<!doctype html><script>alert(1)</script>", "unknown_kind"),
    "picture.svg": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "unknown_kind"),
    "list.m3u8": (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "unknown_kind"),
    "list.ffconcat": (b"ffconcat version 1.0\nfile /etc/passwd\n", "unknown_kind"),
    "program.exe": (b"MZ" + b"\0" * 500, "unknown_kind"),
    "paper.pdf": (b"%PDF-1.7\n", "unknown_kind"),
    "picture.heic": (b"\0\0\0\x18ftypheic" + b"\0" * 40, "image_unsupported"),
    "only-head.mp4": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "cut_before_index"),
    "only-head.webm": (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01", "unreadable"),
    "huge.png": (png(60_000, 60_000), "too_many_pixels"),
    "hollow.png": (png(300, 300), "image_broken"),
    "bomb.zip": (zipped({"zeros": b"\0" * 30_000_000}), "archive_bomb"),
    "out.zip": (zipped({"../../etc/cron.d/x": b"x"}), "archive_paths"),
    "root.zip": (zipped({"/etc/x": b"x"}), "archive_paths"),
    "link.zip": (symlink(), "archive_paths"),
    "locked.zip": (locked(), "archive_password"),
    "broken.zip": (zipped({"a": b"a" * 500})[:-30], "archive_broken"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_with_its_reason(tmp_path, name):
    data, code = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(Refused) as refused:
        look(path)
    assert refused.value.code == code
    assert sentences.refusal(refused.value.code, refused.value.details)


def test_an_archive_whose_entries_share_bytes_is_a_bomb(tmp_path):
    data = zipped({"a": b"a" * 100, "b": b"b" * 100}, zipfile.ZIP_STORED)
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    path = tmp_path / "overlap.zip"
    path.write_bytes(data[: second + 42] + struct.pack("<I", 0) + data[second + 46 :])
    with pytest.raises(Refused, match="archive_bomb"):
        look(path)


def test_thousands_of_streams_are_refused(tmp_path):
    path = write(
        tmp_path / "many.mov", Sample(container="mov", video=None, audio="pcm_s16le", seconds=0.1, audio_streams=40)
    )
    with pytest.raises(Refused, match="too_many_streams"):
        look(path)
    path = write(
        tmp_path / "more.mov", Sample(container="mov", video=None, audio="pcm_s16le", seconds=0.1, audio_streams=300)
    )
    with pytest.raises(Refused):
        look(path)


def test_a_picture_beyond_all_screens_is_refused(sample, tmp_path):
    data = bytearray(sample("plain").read_bytes())
    at = data.index(b"avc1", data.index(b"stsd"))
    data[at + 28 : at + 32] = struct.pack(">HH", 65000, 65000)
    path = tmp_path / "wide.mp4"
    path.write_bytes(data)
    try:
        facts = look(path)
    except Refused:
        return
    assert facts["width"] <= limits.SIDE, "if the decoder knows better, its size counts"


def test_a_recording_that_is_also_an_archive_is_only_a_recording(sample, tmp_path):
    path = tmp_path / "both.mp4"
    path.write_bytes(sample("plain").read_bytes() + zipped({"index.html": b"<script>alert(1)</script>"}))
    assert look(path)["kind"] == "video"


def test_ordinary_tables_archives_and_pictures_are_taken(tmp_path):
    from PIL import Image

    (tmp_path / "roster.csv").write_text("name,grade\nLéo,5\n")
    (tmp_path / "roster.zip").write_bytes(zipped({"users.csv": b"a,b\n1,2\n"}))
    Image.new("RGB", (64, 48), "red").save(tmp_path / "photo.jpg")
    assert look(tmp_path / "roster.csv")["kind"] == "table"
    assert look(tmp_path / "roster.zip")["details"] == {"entries": 1, "unpacked": 8}
    facts = look(tmp_path / "photo.jpg")
    assert (facts["kind"], facts["width"], facts["height"]) == ("image", 64, 48)


# --- 200 malformed uploads


def mutilated(data: bytes, chance: random.Random) -> bytes:
    """One of the ways in which files are damaged: bits flipped, a part lost, doubled, filled with noise, lengths changed."""
    spoiled = bytearray(data)
    way = chance.randrange(6)
    at = chance.randrange(len(data))
    length = chance.randrange(1, max(2, len(data) // 4))
    if way == 0:
        for _n in range(chance.randrange(1, 60)):
            spoiled[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif way == 1:
        del spoiled[at : at + length]
    elif way == 2:
        spoiled[at:at] = spoiled[at : at + length]
    elif way == 3:
        spoiled[at : at + length] = chance.randbytes(len(spoiled[at : at + length]))
    elif way == 4:
        del spoiled[at:]
    else:
        for _n in range(4):
            here = chance.randrange(0, max(1, min(len(data) - 4, 4000)))
            spoiled[here : here + 4] = chance.choice(
                [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1"]
            )
    return bytes(spoiled)


@pytest.mark.slow
def test_two_hundred_malformed_uploads_are_refused_or_used_and_never_crash_us(sample, tmp_path, quick_look):
    """Looked at as a worker does it, in a child process: each ends in facts or in a sentence, within time and memory."""
    seeds = [
        sample("plain"), sample("phone", **PHONE), sample("browser", **BROWSER), sample("sound", video=None),
        sample("browser-mp4", is_live=True),
    ]  # fmt: skip
    wav = write(tmp_path / "sound.wav", Sample(container="wav", video=None, audio="pcm_s16le", seconds=0.5))
    archive = tmp_path / "roster.zip"
    archive.write_bytes(zipped({f"file{n}.csv": b"a,b\n" * n for n in range(20)}))
    chance = random.Random(2026)
    paths = []
    for number in range(200):
        seed = chance.choice([*seeds, wav, archive])
        path = tmp_path / f"{number}-{seed.name}"
        path.write_bytes(mutilated(seed.read_bytes(), chance))
        paths.append(path)

    def outcome(path: Path) -> str:
        try:
            return str(apart.run("look", path=path, name=path.name, cpu_s=20)["kind"])
        except Refused as refused:
            return "refused" if sentences.refusal(refused.code, refused.details) else "failed to say why"
        except Failed as failed:
            return f"failed {failed} {path.name}"

    outcomes = [outcome(path) for path in paths]
    assert not [each for each in outcomes if each.startswith("failed")]
    assert outcomes.count("refused") > 20
    assert len(set(outcomes)) >= 3


# --- the child process


def test_a_child_that_uses_up_its_time_is_ended_and_we_go_on(sample):
    with pytest.raises(Failed):
        apart.run("look", path=sample("plain"), name="x", cpu_s=0)
    assert apart.run("look", path=sample("plain"), name="x", cpu_s=20)["kind"] == "video"


def test_a_child_that_says_nothing_is_ended_but_its_parent_keeps_its_lease(sample, tmp_path, monkeypatch):
    beats = []
    monkeypatch.setattr(apart, "SILENCE_S", 0.4)
    monkeypatch.setattr(apart, "BEAT_S", 0.1)
    with pytest.raises(Failed):
        apart.run("sleep", cpu_s=20, report=lambda done, total: beats.append(done))
    assert len(beats) >= 2


def test_work_that_outgrows_its_room_says_so(sample, tmp_path):
    big = sample("big", size=(640, 360), seconds=3.0)
    with pytest.raises(limits.OutOfRoom):
        apart.run("web_video", path=big, target=tmp_path / "web.mp4", cpu_s=60, room=2000)


@pytest.mark.skipif(not VOICES.exists(), reason="the recordings of ../shared/data/lessons are not here")
def test_real_voices_behind_a_picture_are_understood(tmp_path):
    path = write(tmp_path / "lesson.mp4", Sample(seconds=12.0, voice=VOICES / "A_clean.flac", fps=5))
    facts = look(path)
    assert facts["duration_ms"] == pytest.approx(12_000, abs=150)
