"""`staffroom import statements`: a file of another store comes in whole, once, and what is wrong in it is told."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from staffroom.cli import Failure, Mistake, statements
from staffroom.exchange.actions import importing, keys
from staffroom.exchange.models import Agent
from staffroom.permissions.models import Tool
from staffroom.records.models import Mention, Statement, StatementKey
from tests.cast import Cast
from tests.hosting.conftest import Place

DID = "http://adlnet.gov/expapi/verbs/completed"


def line(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))),
        "actor": {"account": {"homePage": "https://lms.example.org", "name": f"t{number % 7}"}},
        "verb": {"id": DID},
        "object": {"id": f"https://lms.example.org/courses/{number % 5}"},
        "timestamp": "2026-09-01T08:30:00Z",
        **more,
    }


def written(path: Path, lines: list[Any]) -> Path:
    text = "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def tables() -> tuple[set[uuid.UUID], int, int]:
    """The keys of what tools wrote, and how many rows there are beside them."""
    everything = list(Statement.objects.order_by("pk").values_list("pk", flat=True))
    assert everything == list(StatementKey.objects.order_by("entry").values_list("entry", flat=True))
    held = set(Statement.objects.filter(tool__isnull=False).values_list("key", flat=True))
    return held, Mention.objects.count(), Agent.objects.count()


@pytest.fixture
def take(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Run the command on lines; returns the lines of its report."""
    keys.add_tool(by=None, organization=cast.district, name="Old LMS")
    monkeypatch.setattr(statements, "prepared", lambda: None)

    def run(lines: list[Any], name: str = "old.jsonl", **told: Any) -> list[str]:
        words = {"tool": "old lms", "organization": None, "add_tool": False, "report": None, "quiet": False, **told}
        report = tmp_path / f"{name}.problems.txt"
        statements.import_statements(argparse.Namespace(file=str(written(tmp_path / name, lines)), **words))
        return report.read_text().splitlines() if report.exists() else []

    return run


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["old.jsonl", "old.jsonl.gz"])
def test_every_line_is_in_the_ledger_as_the_tools(take: Callable[..., list[str]], cast: Cast, name: str) -> None:
    assert take([line(number) for number in range(1200)], name) == []
    found = Statement.objects.filter(tool__name="Old LMS", tenant=cast.district, organization=cast.district)
    assert found.count() == 1200
    assert Agent.objects.count() == 7
    body = found.get(key=line(3)["id"]).body
    assert body["authority"]["name"] == "Old LMS"
    assert body["timestamp"] == "2026-09-01T08:30:00Z"


@pytest.mark.django_db
def test_a_second_run_doubles_nothing(take: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    nameless = {name: value for name, value in line(1).items() if name != "id"}
    lines = [*(line(number) for number in range(40)), nameless, nameless]
    take(lines)
    before = tables()
    assert len(before[0]) == 42
    assert take(lines) == []
    assert tables() == before
    assert "0 new, 42 known already" in capsys.readouterr().out


@pytest.mark.django_db
def test_wrong_lines_are_told_and_the_others_taken(take: Callable[..., list[str]]) -> None:
    voided = str(uuid.uuid4())
    void = {"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}}
    lines = [
        line(0),
        '{"actor": ',
        line(2, verb={"id": "running"}),
        line(0, verb={"id": "http://example.org/other"}),
        "",
        line(5, result={"score": {"scaled": 2}}),
        line(6, id=voided, **void, object={"objectType": "StatementRef", "id": line(0)["id"]}),
        line(7, **void, object={"objectType": "StatementRef", "id": voided}),
        line(8, context={"contextAgents": []}),
        line(9, version="2.0.0", context={"contextAgents": []}),
        line(10),
    ]
    told = take(lines)
    assert [each.partition(":")[0] for each in told] == ["line 2", "line 3", "line 6", "line 9", "line 4", "line 8"]
    assert "verb.id" in told[1]
    assert "taken by another statement" in told[4]
    assert "cannot be voided" in told[5]
    held, _mentions, _agents = tables()
    assert {str(each) for each in held} == {line(0)["id"], voided, line(9)["id"], line(10)["id"]}
    assert Statement.objects.get(key=line(0)["id"]).is_voided


@pytest.mark.django_db
def test_a_line_without_end_is_refused_and_skipped(
    take: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "LONGEST", 2000)
    told = take([line(0), line(1, result={"response": "x" * 9000}), line(2)])
    assert len(told) == 1
    assert told[0].startswith("line 2: The line is longer")
    assert len(tables()[0]) == 2


@pytest.mark.django_db
def test_a_file_that_ends_too_early_is_told(take: Callable[..., list[str]], tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.jsonl.gz", [line(number) for number in range(3000)])
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(whole.read_bytes()[:-20])
    told = argparse.Namespace(file=str(cut), tool="Old LMS", organization=None, add_tool=False, report=None, quiet=True)
    with pytest.raises(Failure, match="is damaged"):
        statements.import_statements(told)


@pytest.mark.django_db
def test_the_tool_is_chosen_by_name_and_organization(take: Callable[..., list[str]], cast: Cast) -> None:
    with pytest.raises(Mistake, match="There are: Old LMS"):
        take([line(0)], tool="Unknown")
    with pytest.raises(Mistake, match="no organization called"):
        take([line(0)], organization="Nowhere")
    take([line(0)], tool="New LMS", organization=cast.district.slug, add_tool=True)
    assert Statement.objects.get(tool__isnull=False).tool == Tool.objects.get(
        name="New LMS", organization=cast.district
    )
    assert not tables()[0] - {uuid.UUID(line(0)["id"])}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "data")
    yield place
    place.end()


COUNTED = """
from staffroom.records.models import Mention, Statement, StatementKey
held = Statement.objects.filter(tool__isnull=False).values("pk")
print(held.count(), *(model.objects.filter(entry__in=held).count() for model in (StatementKey, Mention)))
"""


@pytest.mark.slow
def test_a_killed_run_begun_anew_ends_with_the_same_tables(place: Place) -> None:
    place.make_tables()
    count = 6000
    path = written(place.folder.parent / "old.jsonl", [line(number) for number in range(count)])
    place.python(
        "from staffroom.people.models import Organization as O; O.objects.create(kind='district', name='D', slug='d')"
    )
    words = ("import", "statements", str(path), "--tool", "Old", "--organization", "d", "--add-tool")
    process = subprocess.Popen([sys.executable, "-m", "staffroom", *words], env=place.environment, cwd=os.getcwd())
    database = place.folder / "staffroom.sqlite3"
    before = _rows(database)
    while before < 1500 and process.poll() is None:
        before = _rows(database)
    process.kill()
    process.wait()
    killed_at = _rows(database)
    assert 0 < killed_at < count
    said = place.run(*words)
    assert f"{count - killed_at:,} new, {killed_at:,} known already, 0 not taken" in said
    assert place.python(COUNTED) == f"{count} {count} {count * 5}"


def _rows(path: Path) -> int:
    import sqlite3

    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as connection:
        return int(connection.execute("SELECT count(*) FROM records_statement WHERE tool_id IS NOT NULL").fetchone()[0])
