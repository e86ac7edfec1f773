"""Every option stands in docs/hosts/options.md with its default and its sentence, and nothing else does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from staffroom import options
from staffroom.options import OPTIONS, Option

PAGE = Path(__file__).resolve().parents[2] / "docs" / "hosts" / "options.md"
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<kind>[^|]+) \|(?P<default>[^|]*)\| (?P<sentence>.+) \|$", re.M)


def rows() -> dict[str, re.Match[str]]:
    return {row["name"]: row for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))}


def test_the_page_has_all_options_and_no_other_in_their_order() -> None:
    assert list(rows()) == [option.name for option in OPTIONS]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_is_told_as_it_is(option: Option) -> None:
    row = rows()[option.name]
    told = row["sentence"].replace("\\|", "|")
    assert told == option.sentence + (" *Secret.*" if option.is_secret else "")
    assert row["default"].strip("` ") == _default(option)


def _default(option: Option) -> str:
    if option.type is bool:
        return str(option.default).lower()
    return "" if option.default == [] else str(option.default)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_can_be_set_by_its_variable(option: Option, monkeypatch: pytest.MonkeyPatch) -> None:
    text = {bool: "yes", int: "7", list: "a, b", Path: "/somewhere", str: "words"}[option.type]
    read = {bool: True, int: 7, list: ["a", "b"], Path: Path("/somewhere"), str: "words"}[option.type]
    monkeypatch.setenv(option.variable, text)
    assert options.value_and_origin(option.name) == (read, option.variable)


def test_every_option_is_used() -> None:
    package = Path(options.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py") if path.name != "options.py")
    used = set(re.findall(r'(?:options\.get|value_and_origin)\(\s*f?"(\w+)"', code)) | {"data", "secret"}
    assert {option.name for option in OPTIONS} - used == set()
