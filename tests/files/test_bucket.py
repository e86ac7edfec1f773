"""Files in a real S3 server (SeaweedFS): put away, worked on, served in ranges, taken back, removed."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from staffroom.files import actions, keeping, queries
from staffroom.files.actions import landing
from staffroom.files.models import Derivative, File, Upload, UploadPiece
from staffroom.jobs.actions import run_waiting
from staffroom.permissions.actions import retract, share
from staffroom.settings import _storage
from tests.buckets import SECRET, bucket_server, make_bucket
from tests.files.conftest import Tus

pytestmark = [pytest.mark.s3, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """SeaweedFS on loopback, with one identity and signatures checked."""
    with bucket_server(tmp_path_factory.mktemp("weed")) as address:
        yield address


@pytest.fixture
def bucket(server, settings, own_data):
    """The site's files lie in a bucket of the server."""
    settings.STORAGES = {**settings.STORAGES, "default": _storage(f"{server}/files")}
    make_bucket(default_storage.connection, "files")
    yield default_storage.bucket
    default_storage.bucket.objects.all().delete()


@pytest.fixture
def lesson(cast, sample, bucket):
    return actions.take_in(by=cast.amara, name="lesson.mp4", stream_or_path=sample("plain"))


def made(derivative):
    run_waiting()
    derivative.refresh_from_db()
    return derivative


def test_bytes_go_to_the_bucket_and_none_stay_behind(lesson, bucket, sample):
    assert not keeping.is_local()
    assert lesson.state == File.State.READY
    assert bucket.Object(lesson.path).get()["Body"].read() == sample("plain").read_bytes()
    assert not keeping.part_file(lesson.key).exists()
    assert dict(keeping.all_names()) == {lesson.path: lesson.size}


def test_things_are_made_from_the_bucket_into_the_bucket(lesson, bucket):
    poster, clip = actions.derive(lesson, "poster"), actions.derive(lesson, "clip", 500, 1500)
    assert (made(poster).state, made(clip).state) == ("ready", "ready")
    assert set(dict(keeping.all_names())) == {lesson.path, poster.path, clip.path}
    assert [path.name for path in keeping.workbench().iterdir()] == [f"at-hand-{lesson.key}"], "fetched once"
    actions.make(Derivative.objects.get(pk=poster.pk))
    poster.state = "waiting"
    assert actions.make(poster).path == poster.path, "run twice it lies in the same place"


def test_ranges_come_from_the_bucket_and_stop_when_a_share_is_taken_back(cast, lesson, bucket):
    body = bytes(range(251)) * 20_000
    derivative = Derivative.objects.create(
        file=lesson,
        kind="clip",
        end_ms=900,
        state="ready",
        media_type="video/mp4",
        size=len(body),
        made_at=timezone.now(),
    )
    derivative.path = keeping.derivative_name(derivative.key, ".mp4")
    derivative.save()
    source = keeping.workbench() / "x"
    source.write_bytes(body)
    keeping.keep(source, derivative.path)
    lent = share(by=cast.amara, about=lesson, audience="person", person=cast.priya,
                 expires_at=timezone.now() + timedelta(days=1))  # fmt: skip
    client, url = Client(), queries.media_url(cast.priya, derivative, lent)
    client.force_login(cast.priya)
    part = client.get(url, headers={"Range": "bytes=2000000-4500000"})
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == body[2_000_000:4_500_001]
    pieces = iter(client.get(url).streaming_content)
    assert len(next(pieces)) == 256 * 1024
    retract(by=cast.amara, share=lent)
    assert list(pieces) == []


def test_removal_takes_the_bytes_out_of_the_bucket(lesson, bucket, django_capture_on_commit_callbacks):
    made(actions.derive(lesson, "poster"))
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove(lesson)
    assert list(keeping.all_names()) == []
    assert not list(keeping.workbench().iterdir())


def test_a_wrong_secret_keeps_the_upload_for_later(cast, sample, bucket, server, settings):
    """The bucket is out of reach: the job fails and is tried again, what arrived stays."""
    from staffroom.jobs.models import Job

    good = settings.STORAGES
    Tus(cast.amara).upload(sample("plain").read_bytes())
    settings.STORAGES = {**good, "default": _storage(f"{server.replace(SECRET, 'wrong')}/files")}
    run_waiting()
    file = File.objects.get()
    assert (file.state, Job.objects.get().state) == ("checking", "waiting")
    assert UploadPiece.objects.filter(upload__file=file).exists()
    settings.STORAGES = good
    Job.objects.update(next_try_at=timezone.now())
    run_waiting()
    file.refresh_from_db()
    assert file.state == "ready"


@pytest.fixture
def hosts(settings, tmp_path, monkeypatch):
    """Two hosts: each with a data folder of its own."""
    monkeypatch.setattr(landing, "PIECE_BYTES", 10_000)

    def at(name):
        settings.DATA = tmp_path / name
        settings.DATA.mkdir(exist_ok=True)

    return at


def test_pieces_may_come_to_any_host_and_be_looked_at_on_a_third(cast, sample, bucket, hosts):
    body, tus, stands_at = sample("plain").read_bytes(), Tus(cast.amara), 0
    url = tus.begin(len(body))["Location"]
    for number in range(4):
        hosts(f"web-{number % 2}")
        assert tus.offset(url) == stands_at
        piece = body[stands_at : len(body) * (number + 1) // 4]
        assert tus.send(url, piece, stands_at).status_code == 204
        stands_at += len(piece)
    file = File.objects.get()
    assert UploadPiece.objects.count() == 4
    hosts("worker")
    run_waiting()
    file.refresh_from_db()
    assert (file.state, file.size) == ("ready", len(body))
    assert bucket.Object(file.path).get()["Body"].read() == body
    assert not UploadPiece.objects.exists()


def test_of_two_hosts_that_take_the_same_bytes_one_is_first(cast, bucket, hosts, monkeypatch):
    tus = Tus(cast.amara)
    url = tus.begin(60_000)["Location"]
    upload = Upload.objects.get()

    def overtaken():
        yield b"x" * 20_000
        other = landing.take(Upload.objects.get(), [b"x" * 30_000], offset=20_000, most=60_000)
        assert other == 50_000
        yield b"x" * 20_000

    with pytest.raises(landing.Overtaken):
        landing.take(upload, overtaken(), offset=0, most=60_000)
    assert tus.offset(url) == 50_000
    assert tus.send(url, b"y", 20_000).status_code == 409
    assert tus.send(url, b"x" * 10_000, 50_000).status_code == 204
    pieces = UploadPiece.objects.order_by("start").values_list("start", "end")
    assert [start for start, _end in pieces] == [0, *(end for _start, end in pieces)][:-1]


def test_a_wrong_checksum_puts_nothing_into_the_bucket(cast, bucket, hosts):
    tus = Tus(cast.amara)
    url = tus.begin(60_000)["Location"]
    answer = tus.send(url, b"x" * 60_000, 0, Upload_Checksum="sha1 " + base64.b64encode(b"n" * 20).decode())
    assert (answer.status_code, tus.offset(url), list(bucket.objects.all())) == (460, 0, [])


def test_a_bucket_out_of_reach_acknowledges_nothing_and_asks_to_try_again(cast, bucket, server, settings, hosts):
    tus = Tus(cast.amara)
    url = tus.begin(60_000)["Location"]
    good = settings.STORAGES
    settings.STORAGES = {**good, "default": _storage(f"{server.replace(SECRET, 'wrong')}/files")}
    assert tus.send(url, b"x" * 60_000, 0).status_code == 507
    settings.STORAGES = good
    assert tus.offset(url) == 0


def test_giving_an_upload_up_takes_its_pieces_out_of_the_bucket(
    cast, bucket, hosts, django_capture_on_commit_callbacks
):
    tus = Tus(cast.amara)
    url = tus.begin(60_000)["Location"]
    tus.send(url, b"x" * 30_000, 0)
    assert list(bucket.objects.all())
    with django_capture_on_commit_callbacks(execute=True):
        assert tus.ask("DELETE", url).status_code == 204
    assert list(bucket.objects.all()) == []


def test_pieces_whose_host_died_before_it_wrote_them_down_are_swept_away(db, bucket, monkeypatch):
    keeping.put("arriving/aa/lost", b"x")
    assert landing.sweep() == 0, "not before it is a day old"
    monkeypatch.setattr(keeping, "old_pieces", lambda: iter(["arriving/aa/lost"]))
    assert landing.sweep() == 1
    assert list(bucket.objects.all()) == []
