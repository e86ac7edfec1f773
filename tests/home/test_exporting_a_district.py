"""A district's export: tables of everybody, and an archive for each person of whom more is stored than the tables tell."""

from __future__ import annotations

import io
import zipfile

from staffroom.cli.districts import write_district
from staffroom.permissions import actions
from tests.cast import Cast


def test_archives_are_written_for_those_who_made_something_and_tables_tell_of_all(cast: Cast) -> None:
    actions.make_circle(by=cast.amara, name="Math five", members=[])
    counts = write_district(cast.district, target := io.BytesIO())
    archive = zipfile.ZipFile(target)
    people = archive.read("tables/people.csv").decode()
    assert str(cast.amara.key) in people
    assert str(cast.leo.key) in people
    assert str(cast.vera.key) not in people
    assert f"people/{cast.amara.key}.zip" in archive.namelist()
    assert f"people/{cast.leo.key}.zip" not in archive.namelist()
    assert counts["people's archives"] == len([name for name in archive.namelist() if name.startswith("people/")])
