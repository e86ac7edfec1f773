"""Hostile and broken roster files: refused with clear words, and nothing changed."""

from __future__ import annotations

import contextlib
import io
import random
import stat
import zipfile
from collections.abc import Callable

import pytest

from staffroom.people.actions import import_roster
from staffroom.people.models import Organization, Person, RosterImport
from staffroom.people.rosters.roster import RosterRefused
from tests.cast import Cast
from tests.people.oneroster_maker import make


def with_entry(name: str, content: bytes = b"x", mode: int = 0) -> io.BytesIO:
    made = make().zipped()
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, content)
    made.seek(0)
    return made


def with_raw(name: str, content: bytes) -> io.BytesIO:
    files = make()
    files.raw[name] = content
    return files.zipped()


def with_many_files() -> io.BytesIO:
    files = make()
    files.raw = {f"more-{number}.csv": b"a,b" for number in range(200)}
    return files.zipped()


def without_manifest() -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("users.csv", "sourcedId,givenName,familyName\n")
    made.seek(0)
    return made


def cut_off() -> io.BytesIO:
    whole = make().zipped().getvalue()
    return io.BytesIO(whole[: len(whole) // 2])


def with_wrong_checksum() -> io.BytesIO:
    whole = bytearray(make().zipped().getvalue())
    whole[whole.index(b"users.csv") + 40] ^= 0xFF
    return io.BytesIO(bytes(whole))


USERS = make().header("users")
HOSTILE: dict[str, tuple[Callable[[], io.BytesIO], str]] = {
    "a bomb": (lambda: with_entry("bomb.csv", b"0" * 60_000_000), "times its size"),
    "an archive in the archive": (lambda: with_entry("inner.zip", make().zipped().getvalue()), "another archive"),
    "an absolute path": (lambda: with_entry("/etc/users.csv"), "outside itself"),
    "a path upwards": (lambda: with_entry("../../users.csv"), "outside itself"),
    "a path of Windows": (lambda: with_entry("C:/users.csv"), "outside itself"),
    "a link": (lambda: with_entry("link.csv", b"/etc/passwd", stat.S_IFLNK | 0o777), "a link"),
    "too many files": (with_many_files, "at most"),
    "several folders": (lambda: with_entry("other/more.csv"), "several folders"),
    "a table twice": (lambda: with_entry("USERS.CSV"), "twice"),
    "no manifest": (without_manifest, "no manifest"),
    "an archive cut off": (cut_off, "damaged"),
    "an archive with a wrong byte": (with_wrong_checksum, "damaged|cannot be read|UTF-8"),
    "UTF-16": (lambda: with_raw("users.csv", ",".join(USERS).encode("utf-16")), "UTF-16"),
    "UTF-16 without a mark": (lambda: with_raw("users.csv", ",".join(USERS).encode("utf-16-le")), "UTF-16"),
    "Latin-1": (lambda: with_raw("users.csv", (",".join(USERS) + "\nÄÖÜ").encode("latin-1")), "not UTF-8"),
    "no header": (lambda: with_raw("users.csv", b""), "lacks these columns"),
    "a missing column": (lambda: with_raw("users.csv", b"sourcedId,givenName\n"), "familyName"),
    "a column twice": (lambda: with_raw("orgs.csv", b"sourcedId,name,name,type,parentSourcedId\n"), "column twice"),
    "a quote that never ends": (lambda: with_raw("users.csv", (",".join(USERS) + '\n"a').encode()), "cannot be read"),
    "a field without end": (lambda: with_raw("users.csv", b"sourcedId," + b"x" * 300_000), "cannot be read"),
    "an unknown version": (lambda: with_raw("manifest.csv", b"propertyName,value\noneroster.version,9\n"), "1.1 and 1.2"),
    "a table announced and absent": (
        lambda: with_raw(
            "manifest.csv", b"propertyName,value\noneroster.version,1.1\nfile.users,bulk\nfile.classes,maybe\n"
        ),
        "neither bulk",
    ),
    "bytes": (lambda: io.BytesIO(bytes(range(256)) * 100), "not UTF-8|UTF-16|lacks"),
    "a picture": (lambda: io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(500)), "not UTF-8|UTF-16|lacks"),
    "a page": (lambda: io.BytesIO(b"<!doctype html><p>Sign in</p>"), "lacks these columns"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_or_broken_file_is_refused_and_changes_nothing(cast: Cast, case: str) -> None:
    build, words = HOSTILE[case]
    before = (Person.objects.count(), Organization.objects.count())
    with pytest.raises(RosterRefused, match=words):
        import_roster(by=cast.omar, district=cast.district, path_or_file=build(), name="roster.zip")
    assert (Person.objects.count(), Organization.objects.count()) == before
    assert not RosterImport.objects.exists()


def test_a_null_in_a_row_is_a_problem_of_that_row(cast: Cast) -> None:
    files = make()
    files.row("users", "s1")["givenName"] = "Nu\0ll"
    done = import_roster(by=cast.omar, district=cast.district, path_or_file=files.zipped(), name="r.zip")
    assert ("users.csv", 7) in set(done.problems.values_list("file", "line"))
    assert Person.objects.filter(source_id="s2").exists()


def test_a_row_of_another_length_is_a_problem_of_that_row(cast: Cast) -> None:
    files = make()
    users = files._table("users").splitlines(keepends=True)
    files.raw["users.csv"] = b"".join([*users[:5], b"s0,,,true\n", *users[6:]])
    done = import_roster(by=cast.omar, district=cast.district, path_or_file=files.zipped(), name="r.zip")
    assert ("users.csv", 6) in set(done.problems.values_list("file", "line"))


def test_schools_that_are_each_others_parents_are_refused(cast: Cast) -> None:
    files = make()
    files.row("orgs", "school-0")["parentSourcedId"] = "school-1"
    files.row("orgs", "school-1")["parentSourcedId"] = "school-0"
    with pytest.raises(RosterRefused, match="circle"):
        import_roster(by=cast.omar, district=cast.district, path_or_file=files.zipped(), name="r.zip")
    assert not Person.objects.filter(source_id="s0").exists()


@pytest.mark.parametrize("seed", range(60))
def test_damage_anywhere_is_taken_or_refused_but_never_fails(cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    damaged = bytearray(make(students=3).zipped().getvalue())
    for _ in range(chance.choice([1, 3, 30])):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    with contextlib.suppress(RosterRefused):
        done = import_roster(by=cast.omar, district=cast.district, path_or_file=io.BytesIO(damaged), name="r.zip")
        assert done.state == "done"
