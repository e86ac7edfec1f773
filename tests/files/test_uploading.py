"""Uploads by tus, request by request: whatever breaks, the client goes on where it stopped."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from staffroom.files import actions, keeping, queries
from staffroom.files.arriving import Busy, PartFile
from staffroom.files.models import File, Upload
from staffroom.jobs.models import Job
from tests.files.conftest import Tus

DATA = bytes(range(256)) * 40


def checksum(data, algorithm="sha1"):
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def test_the_server_says_what_it_can(amara):
    said = amara.client.options("/uploads/")
    assert said.status_code == 204
    assert said["Tus-Version"] == said["Tus-Resumable"] == "1.0.0"
    assert set(said["Tus-Extension"].split(",")) == {
        "creation", "creation-with-upload", "creation-defer-length", "termination", "checksum", "expiration",
    }  # fmt: skip
    assert said["Tus-Checksum-Algorithm"] == "sha256,sha1,sha512,md5"
    assert int(said["Tus-Max-Size"]) == 8 * 1024**3


def test_a_file_arrives_in_pieces_and_is_to_be_looked_at(amara, cast):
    made = amara.begin(len(DATA), purpose="lesson", lesson="abc")
    assert made.status_code == 201
    assert "Upload-Expires" in made
    url = made["Location"]
    assert amara.send(url, DATA[:100], 0)["Upload-Offset"] == "100"
    assert amara.offset(url) == 100
    assert amara.send(url, DATA[100:], 100).status_code == 204
    upload = Upload.objects.get()
    assert upload.metadata["lesson"] == "abc"
    assert upload.finished_at
    assert (upload.file.owner, upload.file.name, upload.file.state) == (cast.amara, "lesson.mp4", File.State.CHECKING)
    assert keeping.part_file(upload.key).path.read_bytes() == DATA
    assert Job.objects.get().about == upload.file
    assert amara.offset(url) == len(DATA)


def test_bytes_can_come_with_the_beginning(amara):
    made = amara.ask("POST", data=DATA[:50], Upload_Length=str(len(DATA)))
    assert (made.status_code, made["Upload-Offset"]) == (201, "50")
    assert amara.offset(made["Location"]) == 50


def test_a_recording_of_unknown_length_grows_and_is_told_its_length_at_last(amara):
    url = amara.begin(None)["Location"]
    amara.send(url, DATA, 0)
    asked = amara.ask("HEAD", url)
    assert (asked["Upload-Offset"], asked["Upload-Defer-Length"]) == (str(len(DATA)), "1")
    assert "Upload-Length" not in asked
    assert amara.send(url, b"", len(DATA), Upload_Length=str(len(DATA))).status_code == 204
    assert Upload.objects.get().file.size == len(DATA)


def test_a_length_that_is_known_stays(amara):
    url = amara.begin(len(DATA))["Location"]
    assert amara.send(url, b"x", 0, Upload_Length="7").status_code == 400
    assert amara.offset(url) == 0


def test_an_empty_file_is_whole_at_once(amara):
    assert amara.begin(0).status_code == 201
    assert File.objects.get().size == 0


@pytest.mark.parametrize("offset", [0, 99, 101, 10**6])
def test_a_wrong_offset_changes_nothing(amara, offset):
    url = amara.begin(len(DATA))["Location"]
    amara.send(url, DATA[:100], 0)
    assert amara.send(url, b"zzz", offset).status_code == 409
    assert amara.offset(url) == 100


def test_what_exceeds_the_announced_size_is_refused_whole(amara):
    url = amara.begin(10)["Location"]
    assert amara.send(url, DATA[:11], 0).status_code == 413
    assert amara.offset(url) == 0


def test_others_find_no_such_upload(amara, ben, cast):
    url = amara.begin(len(DATA))["Location"]
    for stranger in (ben, Tus(cast.grace), Tus(cast.omar), Tus(cast.priya)):
        assert stranger.ask("HEAD", url).status_code == 404
        assert stranger.send(url, DATA, 0).status_code == 404
        assert stranger.ask("DELETE", url).status_code == 404
    assert amara.offset(url) == 0


def test_nobody_uploads_without_signing_in(amara, db):
    url = amara.begin(5)["Location"]
    nobody = Tus()
    assert nobody.begin(5).status_code == 401
    assert nobody.send(url, b"12345", 0).status_code == 401
    assert amara.offset(url) == 0


def test_other_sites_cannot_upload_for_me(cast):
    careful = Tus(cast.amara, enforce_csrf_checks=True)
    assert careful.begin(5).status_code == 403
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload_Length": "-1"}, 400),
        ({"Upload_Length": "ten"}, 400),
        ({"Upload_Length": "9" * 30}, 400),
        ({"Upload_Length": str(9 * 1024**3)}, 413),
        ({}, 400),
        ({"Upload_Length": "5", "Upload_Defer_Length": "1"}, 400),
        ({"Upload_Defer_Length": "2"}, 400),
        ({"Upload_Length": "5", "Upload_Metadata": "filename ###"}, 400),
        ({"Upload_Length": "5", "Upload_Metadata": "filename /w=="}, 400),
        ({"Upload_Length": "5", "Upload_Metadata": "a YQ==,a YQ=="}, 400),
        ({"Upload_Length": "5", "Upload_Metadata": "a " + "Y" * 9000}, 400),
        ({"Upload_Length": "5", "Upload_Concat": "partial"}, 400),
        ({"Upload_Length": "5", "Tus_Resumable": "0.2.2"}, 412),
    ],
)
def test_a_beginning_that_makes_no_sense_is_refused_in_words(amara, headers, status):
    refused = amara.ask("POST", kind="", **headers)
    assert refused.status_code == status
    assert refused.content
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload_Offset": "x"}, 400),
        ({}, 400),
        ({"Upload_Offset": "0", "kind": "text/plain"}, 415),
        ({"Upload_Offset": "0", "Upload_Checksum": "crc32 AAAA"}, 400),
        ({"Upload_Offset": "0", "Upload_Checksum": "sha1 ##"}, 400),
        ({"Upload_Offset": "0", "Upload_Length": "-3"}, 400),
    ],
)
def test_a_piece_that_makes_no_sense_is_refused_and_nothing_kept(amara, headers, status):
    url = amara.begin(10)["Location"]
    assert amara.ask("PATCH", url, b"12345", **headers).status_code == status
    assert amara.offset(url) == 0


def test_methods_can_be_named_in_a_header(amara):
    url = amara.begin(5)["Location"]
    assert amara.ask("POST", url, b"123", Upload_Offset="0", X_HTTP_Method_Override="PATCH").status_code == 204
    assert amara.offset(url) == 3
    assert amara.ask("POST", url, X_HTTP_Method_Override="DELETE").status_code == 204
    assert amara.ask("POST", url).status_code == 405 or not Upload.objects.exists()


def test_getting_an_upload_is_not_offered(amara):
    url = amara.begin(5)["Location"]
    refused = amara.ask("GET", url)
    assert refused.status_code == 405
    assert "PATCH" in refused["Allow"]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512", "md5"])
def test_a_checksum_that_fits_is_taken(amara, algorithm):
    url = amara.begin(len(DATA))["Location"]
    assert amara.send(url, DATA, 0, Upload_Checksum=checksum(DATA, algorithm)).status_code == 204


def test_a_checksum_that_does_not_fit_keeps_nothing_of_the_piece(amara):
    url = amara.begin(len(DATA))["Location"]
    amara.send(url, DATA[:100], 0)
    refused = amara.send(url, DATA[100:200], 100, Upload_Checksum=checksum(b"other"))
    assert refused.status_code == 460
    assert amara.offset(url) == 100


def test_bytes_of_a_checked_piece_that_was_cut_off_do_not_count(own_data):
    part = PartFile(own_data / "part")
    part.create()

    def cut():
        yield b"12345"
        raise KeyboardInterrupt  # as when the process is killed: nothing after it runs

    with part.turn():
        part.append([b"abc"], most=100)
    part._unverified.write_text("3")
    with part.path.open("ab") as file:
        file.write(b"12345")
    assert part.offset() == 3
    with part.turn():
        assert part.append([b"x"], most=100) == 4
    assert part.path.read_bytes() == b"abcx"
    with pytest.raises(KeyboardInterrupt), part.turn():
        part.append(cut(), most=100)
    assert part.offset() == 9, "without a checksum every byte that was written counts"


def test_a_canceled_upload_is_gone_with_its_bytes(amara, django_capture_on_commit_callbacks):
    url = amara.begin(len(DATA))["Location"]
    amara.send(url, DATA[:100], 0)
    key = Upload.objects.get().key
    with django_capture_on_commit_callbacks(execute=True):
        assert amara.ask("DELETE", url).status_code == 204
    assert not keeping.part_file(key).exists()
    assert amara.ask("HEAD", url).status_code == 404


def test_canceling_while_bytes_come_leaves_nothing(amara, cast):
    amara.begin(len(DATA))
    upload = Upload.objects.get()

    def pieces():
        yield DATA[:500]
        Upload.objects.get().delete()
        yield DATA[500:]

    with pytest.raises(actions.UploadRefused) as refused:
        actions.receive(by=cast.amara, upload=upload, chunks=pieces(), offset=0)
    assert refused.value.why is actions.Why.GONE
    assert not keeping.part_file(upload.key).exists()
    assert not File.objects.exists()


def test_a_finished_upload_is_not_canceled(amara):
    url = amara.upload(DATA)
    assert amara.ask("DELETE", url).status_code == 403
    assert File.objects.exists()


def test_the_quota_counts_what_is_kept_and_what_is_coming(amara, cast, settings):
    settings.QUOTA_BYTES = 1000
    amara.upload(b"x" * 400)
    assert amara.begin(500).status_code == 201
    assert queries.storage_used(cast.amara) == 900
    refused = amara.begin(101)
    assert refused.status_code == 413
    assert "room" in refused.content.decode()
    assert amara.begin(100).status_code == 201


def test_a_running_recording_stops_at_the_quota_and_keeps_what_came(amara, settings):
    settings.QUOTA_BYTES = 1000
    url = amara.begin(None)["Location"]
    assert amara.send(url, b"x" * 900, 0).status_code == 204
    assert amara.send(url, b"x" * 101, 900).status_code == 413
    assert amara.offset(url) == 900


def test_a_full_disk_refuses_at_the_door(amara, monkeypatch):
    monkeypatch.setattr(keeping, "free_bytes", lambda: keeping.RESERVE_BYTES + 4)
    assert amara.begin(5).status_code == 507
    assert not Upload.objects.exists()


def test_a_disk_that_fills_up_keeps_what_fitted(amara, monkeypatch):
    import errno
    import os

    url = amara.begin(len(DATA))["Location"]
    amara.send(url, DATA[:100], 0)
    real = os.write

    def full(file, data):
        if len(data) > 50:
            return real(file, data[:50])
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("staffroom.files.arriving.os.write", full)
    assert amara.send(url, DATA[100:170], 100).status_code == 507
    monkeypatch.undo()
    assert amara.offset(url) == 150


def test_too_many_uploads_at_once_are_refused(amara, monkeypatch):
    monkeypatch.setattr("staffroom.files.actions.arrivals.OPEN_UPLOADS_MOST", 2)
    assert [amara.begin(5).status_code for _n in range(3)] == [201, 201, 429]


def test_two_connections_cannot_interleave(own_data):
    part = PartFile(own_data / "part")
    part.create()
    entered, leave = threading.Event(), threading.Event()

    def holder():
        with part.turn():
            entered.set()
            leave.wait(5)

    thread = threading.Thread(target=holder)
    thread.start()
    entered.wait(5)
    with pytest.raises(Busy), part.turn(patience_s=0.2):
        pass
    assert part.is_wanted(), "the holder can see that another waits"
    leave.set()
    thread.join()
    with part.turn(patience_s=0.2):
        assert not part.is_wanted()


def test_a_busy_upload_is_locked_for_the_second(amara):
    url = amara.begin(len(DATA))["Location"]
    with keeping.part_file(Upload.objects.get().key).turn():
        began = time.monotonic()
        assert amara.send(url, DATA, 0).status_code == 423
        assert time.monotonic() - began < 5


def test_bytes_that_a_killed_server_wrote_count_though_no_row_says_so(amara):
    url = amara.begin(len(DATA))["Location"]
    upload = Upload.objects.get()
    with keeping.part_file(upload.key).path.open("ab") as file:
        file.write(DATA[:77])
    assert amara.offset(url) == 77
    assert amara.send(url, DATA[77:], 77).status_code == 204


def test_a_whole_upload_whose_server_died_before_finishing_is_finished_by_asking(amara):
    url = amara.begin(len(DATA))["Location"]
    keeping.part_file(Upload.objects.get().key).path.write_bytes(DATA)
    assert amara.offset(url) == len(DATA)
    assert File.objects.get().size == len(DATA)


def test_finishing_twice_makes_one_file(amara):
    amara.upload(DATA)
    upload = Upload.objects.get()
    upload.finished_at = None
    assert actions.finish_upload(Upload.objects.get()) == actions.finish_upload(upload)
    assert (File.objects.count(), Job.objects.count()) == (1, 1)


def test_uploads_that_nobody_continues_expire(amara, ben, django_capture_on_commit_callbacks):
    old, whole = amara.begin(100)["Location"], amara.begin(4)["Location"]
    young = ben.begin(100)["Location"]
    keeping.part_file(Upload.objects.get(key=whole[-36:]).key).path.write_bytes(b"1234")
    Upload.objects.filter(owner__given_name="Amara").update(expires_at=timezone.now() - timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.clear_uploads() == 1
    assert amara.ask("HEAD", old).status_code == 404
    assert ben.offset(young) == 0
    assert File.objects.get().size == 4, "what was whole became a file"


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 3000), max_size=12), checked=st.booleans())
def test_however_it_is_cut_the_file_is_the_same(amara, cuts, checked):
    url = amara.begin(len(DATA))["Location"]
    sent = 0
    for cut in [*cuts, len(DATA)]:
        piece = DATA[sent : sent + cut]
        if piece:
            headers = {"Upload_Checksum": checksum(piece)} if checked else {}
            sent = int(amara.send(url, piece, sent, **headers)["Upload-Offset"])
    upload = Upload.objects.get(key=url[-36:])
    assert sent == len(DATA)
    assert keeping.part_file(upload.key).path.read_bytes() == DATA
    upload.file.delete()
