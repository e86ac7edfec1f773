"""What is made of a recording: a video and a sound for the web, pictures, a waveform, and clips that hold nothing else."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from staffroom.files.media import clips, pictures, sound, web
from staffroom.files.media.limits import Refused
from tests.files.media_samples import VOICES, Sample, heard, level_of, levels, loudness_at, pitch_of, truth_of, write

PHONE = {"container": "mov", "video": "libx265", "rotation": -90, "size": (192, 108)}
BROWSER = {"container": "webm", "video": "libvpx", "audio": "libopus", "is_live": True}


def nothing(done, total):
    """Nobody listens to the progress."""


def top_atoms(path) -> list[str]:
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        found.append(data[at + 4 : at + 8].decode())
        at += int.from_bytes(data[at : at + 4], "big")
    return found


def packets_of(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize(
    ("name", "special", "is_copied"),
    [
        ("plain", {}, True),
        ("browser-mp4", {"is_live": True}, True),
        ("variable", {"is_variable": True, "seconds": 4.0}, True),
        ("turned", {"container": "mov", "rotation": 90}, True),
        ("mute", {"audio": None}, True),
        ("phone", PHONE, False),
        ("browser", BROWSER, False),
        ("big", {"size": (1600, 900), "seconds": 0.6}, False),
        ("tenbit", {"video": "libx265", "pixels": "yuv420p10le"}, False),
    ],
)
def test_a_web_video_plays_everywhere(sample, tmp_path, name, special, is_copied):
    source, target = sample(name, **special), tmp_path / "web.mp4"
    made = web.make_video(source, target, nothing)
    assert made["is_copied"] == is_copied
    assert made["has_sound"] == (special.get("audio", "aac") is not None)
    atoms = top_atoms(target)
    assert atoms.index("moov") < atoms.index("mdat"), "the index comes first, so it plays before it has all arrived"
    with av.open(str(target)) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.pix_fmt) == ("h264", "yuv420p")
        assert min(video.width, video.height) <= 720
        assert max(video.width, video.height) <= 1280
        assert [stream.codec_context.name for stream in container.streams.audio] in ([], ["aac"])
        assert float(container.duration / 1e6) == pytest.approx(special.get("seconds", 2.0), abs=0.15)


def test_copying_leaves_every_packet_as_it_was(sample, tmp_path):
    web.make_video(sample("plain"), tmp_path / "web.mp4", nothing)
    assert packets_of(tmp_path / "web.mp4") == packets_of(sample("plain"))


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_the_picture_of_a_turned_phone_is_upright(tmp_path, rotation):
    """The white corner is upper left as the camera saw it; shown, it is where the turn puts it."""
    path = write(tmp_path / "turned.mov", Sample(container="mov", video="libx265", rotation=rotation, seconds=0.4))
    web.make_video(path, tmp_path / "web.mp4", nothing)
    pictures.make_poster(path, tmp_path / "poster.jpg", nothing)
    with av.open(str(tmp_path / "web.mp4")) as container:
        frame = next(container.decode(video=0))
        shown = frame.to_ndarray(format="gray")
        assert frame.rotation == 0
    poster = np.asarray(Image.open(tmp_path / "poster.jpg").convert("L"))
    for image in (shown, poster):
        height, width = image.shape
        corners = {
            "upper left": image[: height // 6, : width // 6],
            "upper right": image[: height // 6, -width // 6 :],
            "lower left": image[-height // 6 :, : width // 6],
            "lower right": image[-height // 6 :, -width // 6 :],
        }
        white = max(corners, key=lambda name: corners[name].mean())
        assert white == {90: "lower left", -90: "upper right", 180: "lower right"}[rotation]


def test_frames_of_uneven_distance_keep_their_moments(tmp_path):
    path = write(tmp_path / "uneven.webm", Sample(container="webm", video="libvpx", audio="libopus", is_variable=True))
    web.make_video(path, tmp_path / "web.mp4", nothing)
    before, after = dict(levels(path)), dict(levels(tmp_path / "web.mp4"))
    assert len(after) == len(before)
    for (at, gray), (shown_at, shown_gray) in zip(before.items(), after.items(), strict=True):
        assert abs(at - shown_at) <= 2
        assert abs(gray - shown_gray) < 6


def test_sound_and_picture_stay_together_over_a_gap(tmp_path):
    """A recorder that loses a second of sound writes none; the later sound must not move forward."""
    path = write(tmp_path / "gap.webm", Sample(container="webm", video="libvpx", audio="libopus", seconds=4.0))
    torn = tmp_path / "torn.webm"
    with av.open(str(path)) as source, av.open(str(torn), "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            is_lost = packet.stream.type == "audio" and packet.pts is not None and 1000 <= packet.pts < 2000
            if packet.dts is not None and not is_lost:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    web.make_video(torn, tmp_path / "web.mp4", nothing)
    samples, rate = heard(tmp_path / "web.mp4")
    third = samples[int(2.3 * rate) : int(2.8 * rate)]
    assert loudness_at(third, rate, pitch_of(2)) > 0.2
    assert np.abs(samples[int(1.3 * rate) : int(1.7 * rate)]).max() < 0.02


def test_a_recording_that_breaks_off_is_made_playable(sample, tmp_path):
    whole = sample("long-browser", **{**BROWSER, "seconds": 6.0}).read_bytes()
    path = tmp_path / "cut.webm"
    path.write_bytes(whole[: int(len(whole) * 0.6)])
    made = web.make_video(path, tmp_path / "web.mp4", nothing)
    assert 1000 < made["duration_ms"] < 5500
    assert len(levels(tmp_path / "web.mp4")) > 20


def test_the_sound_alone_is_made(sample, tmp_path):
    made = web.make_audio(sample("browser", **BROWSER), tmp_path / "sound.m4a", nothing)
    samples, rate = heard(tmp_path / "sound.m4a")
    assert made["width"] is None
    assert loudness_at(samples[: rate // 2], rate, pitch_of(0)) > 0.2


def test_what_is_not_there_is_refused_by_name(sample, tmp_path):
    for make in (web.make_audio, sound.make_waveform):
        with pytest.raises(Refused, match="no_sound"):
            make(sample("mute", audio=None), tmp_path / "x", nothing)
    for make in (web.make_video, pictures.make_poster, pictures.make_storyboard):
        with pytest.raises(Refused, match="no_picture"):
            make(sample("sound", video=None), tmp_path / "x", nothing)


def test_the_poster_is_a_picture_of_the_web_size(sample, tmp_path):
    made = pictures.make_poster(sample("big", size=(1600, 900), seconds=0.6), tmp_path / "poster.jpg", nothing)
    with Image.open(tmp_path / "poster.jpg") as image:
        assert image.size == (made["width"], made["height"]) == (1280, 720)
        assert not image.getexif()


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_the_storyboard_shows_each_moment_where_it_says(tmp_path, container):
    codecs = {} if container == "mp4" else {"video": "libvpx", "audio": "libopus", "is_live": True}
    path = write(tmp_path / f"long.{container}", Sample(container=container, seconds=12.0, fps=5, **codecs))
    made = pictures.make_storyboard(path, tmp_path / "board.jpg", nothing)
    assert (made["count"], made["interval_ms"]) in ((6, 2000), (7, 2000))
    board = np.asarray(Image.open(tmp_path / "board.jpg").convert("L")).astype(float)
    for number in range(6):
        left = number % 10 * made["tile_width"]
        tile = board[: made["tile_height"], left : left + made["tile_width"]]
        gray = tile[tile.shape[0] // 2 :, tile.shape[1] // 2 :].mean()
        # A key frame comes every 15 frames: the one shown is at most that far from the moment.
        assert min(abs(gray - level_of(n)) for n in range(max(0, number * 10 - 15), number * 10 + 16)) < 6


def test_the_waveform_is_loud_where_there_is_sound(tmp_path):
    path = write(tmp_path / "tone.mp4", Sample(video=None, seconds=2.0))
    made = sound.make_waveform(path, tmp_path / "wave.json", nothing)
    told = json.loads((tmp_path / "wave.json").read_text())
    assert told["interval_ms"] * len(told["peaks"]) == pytest.approx(2000, abs=60)
    assert 40 < np.median(told["peaks"]) < 60
    assert made["loudest"] == max(told["peaks"])
    silent = write(tmp_path / "silent.mp4", Sample(is_silent=True))
    assert sound.make_waveform(silent, tmp_path / "still.json", nothing)["loudest"] == 0


@pytest.mark.skipif(not VOICES.exists(), reason="the recordings of ../shared/data/lessons are not here")
def test_the_waveform_of_real_voices_follows_who_speaks_when(tmp_path):
    voice = VOICES / "A_clean.flac"
    path = write(tmp_path / "lesson.mp4", Sample(video=None, seconds=30.0, voice=voice))
    sound.make_waveform(path, tmp_path / "wave.json", nothing)
    told = json.loads((tmp_path / "wave.json").read_text())
    moments = np.arange(len(told["peaks"])) * told["interval_ms"] / 1000
    speaks = np.zeros(len(moments), bool)
    for turn in truth_of(voice):
        speaks |= (moments >= turn["start"] + 0.1) & (moments < turn["end"] - 0.1)
    pauses = moments < truth_of(voice)[0]["start"] - 0.2
    peaks = np.array(told["peaks"])
    assert peaks[speaks].mean() > 4 * max(1.0, peaks[pauses].mean())


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Eight seconds in which each frame tells its number and each second has its own pitch."""
    return write(tmp_path_factory.mktemp("counted") / "lesson.mp4", Sample(seconds=8.0, fps=25, audio="aac"))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 7000), length=st.integers(120, 4000))
def test_a_clip_holds_every_frame_of_its_range_and_none_besides(counted, tmp_path, start, length):
    end = min(8000, start + length)
    clips.make_clip(counted, tmp_path / "clip.mp4", start, end, nothing)
    found = levels(tmp_path / "clip.mp4")
    wanted = [number for number in range(200) if start <= number * 40 < end]
    assert len(found) == len(wanted)
    for (at, gray), number in zip(found, wanted, strict=True):
        assert abs(gray - level_of(number)) < 5
        assert at == 0 or abs(at - (number * 40 - start)) <= 2


@pytest.mark.parametrize(("start", "end"), [(2000, 3000), (2500, 4500), (3000, 3500), (7000, 8000)])
def test_a_clip_holds_no_sound_from_outside_its_range(counted, tmp_path, start, end):
    clips.make_clip(counted, tmp_path / "clip.mp4", start, end, nothing)
    samples, rate = heard(tmp_path / "clip.mp4")
    length_s = (end - start) / 1000
    assert abs(samples.size / rate - length_s) < 0.1
    for second in range(8):
        is_inside = start < (second + 1) * 1000 and end > second * 1000
        loudness = loudness_at(samples, rate, pitch_of(second)) * samples.size / rate
        if is_inside:
            inside_s = min(end / 1000, second + 1) - max(start / 1000, second)
            assert loudness > 0.3 * inside_s
        else:
            assert loudness < 0.02, f"second {second} is heard in {start}–{end}"


def test_a_clip_of_a_browser_recording_is_as_exact(sample, tmp_path):
    path = sample("long-browser", **{**BROWSER, "seconds": 6.0})
    made = clips.make_clip(path, tmp_path / "clip.mp4", 2500, 3500, nothing)
    grays = [gray for _at, gray in levels(tmp_path / "clip.mp4")]
    assert len(grays) == 25
    assert abs(grays[0] - level_of(63)) < 8
    assert made["duration_ms"] == pytest.approx(1000, abs=60)


def test_a_clip_beyond_the_end_is_refused(counted, tmp_path):
    with pytest.raises(Refused, match="clip_empty"):
        clips.make_clip(counted, tmp_path / "clip.mp4", 20_000, 21_000, nothing)


def test_a_clip_of_sound_alone_is_sound_alone(sample, tmp_path):
    made = clips.make_clip(sample("sound", video=None), tmp_path / "clip.mp4", 500, 1500, nothing)
    assert (made["width"], made["has_sound"]) == (None, True)


def test_progress_is_told_and_never_runs_backwards(sample, tmp_path):
    told = []
    web.make_video(sample("browser", **BROWSER), tmp_path / "web.mp4", lambda done, total: told.append((done, total)))
    assert {total for _done, total in told} == {2001} or len({total for _done, total in told}) == 1
    assert max(done for done, _total in told) > 1700
