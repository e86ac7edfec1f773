"""The page about studies from files: its commands work as written, and it names every word of the TOML and every key of the JSON."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from staffroom.knowing.studies import asking, telling
from staffroom.measure.answer import Answer
from tests.studies.files import HEAD, as_csv, panel, said, study

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "leaders" / "study-from-files.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line)[2:] for line in re.findall(r"^\$ (staffroom .*)$", PAGE, re.MULTILINE)]


def test_its_commands_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    head = [*HEAD[:4], "first_treated", "score"]
    Path("results.csv").write_text(as_csv(panel(schools=24), head))
    Path("theirs.csv").write_text(as_csv(panel(schools=24, seed=9), head))
    theirs = study(
        tmp_path, data={"outcomes": "theirs.csv"}, name="theirs.toml",
        columns={name: name for name in ("teacher", "school", "term", "first_treated", "score")},
    )  # fmt: skip
    assert said("run", theirs, "--bundle", "theirs.json")[0] == 0
    for words in COMMANDS:
        code, out, err = said(*words)
        assert code == 0, (words, err)
        assert out
        if words[0] == "init":
            Path("results.toml").write_text(Path("results.toml").read_text() + "\ncalibrate = 0\n")
    assert (tmp_path / "results" / "report.html").exists()
    assert {words[0] for words in COMMANDS} == {"init", "check", "run", "power", "pool"}


def test_it_names_every_word_of_the_toml() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    for table, words in asking.TABLES.items():
        assert set(words) <= named, table


def test_it_names_every_key_of_the_json() -> None:
    named = set(
        re.findall(
            r"[a-z_][a-z_0-9]*", " ".join(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
        )
    )
    assert {each.name for each in dataclasses.fields(Answer)} <= named
    assert set(telling.schema()["required"]) | set(telling.schema()["$defs"]["answer"]["required"]) <= named
