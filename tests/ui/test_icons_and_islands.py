"""Icons and islands come from what the build left; without a build, pages still render."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.template import TemplateSyntaxError
from django.test import RequestFactory

from staffroom.ui import built, icons
from staffroom.ui.checks import front_end_is_built
from tests.ui.conftest import Render


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build with one icon and no island."""
    monkeypatch.setattr(built, "FOLDER", tmp_path)
    nodes = {"check": [["path", {"d": "M20 6 9 17l-5-5"}]]}
    (tmp_path / "nodes.json").write_text(json.dumps(nodes))
    (tmp_path / "manifest.json").write_text(json.dumps({icons.SOURCE: {"file": "nodes.json"}}))
    icons._shapes.cache_clear()
    return tmp_path


def test_an_icon_is_written_into_the_page(folder: Path, render: Render) -> None:
    assert '<path d="M20 6 9 17l-5-5"/>' in render('{% icon "check" %}')


def test_an_unknown_icon_is_refused_with_a_suggestion(folder: Path, render: Render) -> None:
    with pytest.raises(TemplateSyntaxError, match="Similar: check"):
        render('{% icon "chekc" %}')


def test_without_a_build_pages_render_bare_and_a_check_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, render: Render
) -> None:
    monkeypatch.setattr(built, "FOLDER", tmp_path)
    assert "<svg" in render('{% icon "check" %}')
    assert render('{% island "app" %}') == ""
    (warning,) = front_end_is_built(None)
    assert warning.id == "ui.W001"
    assert "make front" in str(warning.hint)


def test_with_a_build_the_check_is_silent(folder: Path) -> None:
    assert front_end_is_built(None) == []


def test_an_island_is_loaded_once_on_a_page(
    render: Render, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built, "island_tags", lambda name: f"[{name}]")
    assert render('{% island "player" %}{% island "player" %}{% island "chart" %}') == "[player][chart]"


def test_data_for_an_island_is_json_that_cannot_close_its_element(render: Render) -> None:
    html = render('{% island "player" data=data %}', data={"title": "</script><b>"})
    assert 'id="player-data" type="application/json"' in html
    assert "</script><b>" not in html
