"""Every list has a link to itself as CSV, whose file holds a row that the page shows; whoever may not see the page gets no file."""

from __future__ import annotations

import csv
import html
import io
import re
from urllib.parse import urljoin

import pytest

from tests.promises.world import World

pytestmark = pytest.mark.django_db

# Who asks, for which list, and what stands in the file; "" where this world has only a header to show.
LISTS = (
    ("amara", "/lessons/", "Heronmarsh fractions"),
    ("priya", "/lessons/shared/", "Sandpiperdune"),
    ("priya", "/notices/", "Amara"),
    ("amara", "/circles/", "Math five"),
    ("amara", "/consent/", "Alder"),
    ("amara", "/frameworks/", "Riverbend basics"),
    ("amara", "/my-record/", "Heronmarsh fractions"),
    ("amara", "/my-record/who-opened/", "Priya"),
    ("omar", "/people/", "Okafor"),
    ("omar", "/organizations/", "Alder"),
    ("amara", "/sections/", "Alder"),
    ("omar", "/rosters/", "roster.csv"),
    ("omar", "/jobs/", ""),
    ("denise", "/records/activities/", "Number talks"),
    ("denise", "/records/entries/", ""),
    ("denise", "/records/instruments/", ""),
    ("denise", "/records/imports/", ""),
    ("denise", "/records/prices/", ""),
    ("denise", "/records/prices/indexes/", ""),
    ("denise", "/what-works/", "Number talks"),
    ("denise", "/studies/", "Do number talks work?"),
    ("denise", "/lotteries/", "Coaching seats"),
    ("omar", "/tools/", ""),
    ("omar", "/tools/people/", ""),
    ("omar", "/tools/courses/", ""),
)


def _file_of(world: World, who: str, address: str) -> str:
    page = world.client(who).get(address)
    assert page.status_code == 200, address
    links = [html.unescape(each) for each in re.findall(r'href="([^"]*csv[^"]*)"', page.content.decode())]
    links.sort(key=lambda link: "format=csv" not in link)
    assert links, f"{address} has no link to itself as CSV"
    return urljoin(address, links[0])


@pytest.mark.parametrize(("who", "address", "told"), LISTS, ids=[address for _who, address, _told in LISTS])
def test_a_list_is_had_as_csv(world: World, who: str, address: str, told: str) -> None:
    answer = world.client(who).get(_file_of(world, who, address))
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert told in " ".join(cell for row in rows[1:] for cell in row)


@pytest.mark.parametrize(
    ("address", "stranger"),
    [
        ("/jobs/", "amara"),
        ("/rosters/", "tom"),
        ("/records/activities/", "amara"),
        ("/what-works/", "tom"),
        ("/organizations/", "ben"),
    ],
)
def test_who_may_not_see_a_list_gets_no_file_of_it(world: World, address: str, stranger: str) -> None:
    assert world.client(stranger).get(f"{address}?format=csv").status_code == 404


def test_a_file_holds_only_what_is_lent_to_its_reader(world: World) -> None:
    answer = world.client("tom").get("/lessons/shared/?format=csv")
    assert "Sandpiperdune" not in b"".join(answer).decode()
