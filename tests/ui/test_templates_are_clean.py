"""All templates of the package: nothing that the Content-Security-Policy refuses, no text outside gettext's reach."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import staffroom

PACKAGE = Path(staffroom.__file__).parent
TEMPLATES = sorted(PACKAGE.glob("**/templates/**/*.html"))
REFUSED = {
    "an inline script": re.compile(r"<script(?![^>]*\b(src=|type=\"application/json\"))", re.I),
    "an inline style": re.compile(r"<style\b", re.I),
    "a style attribute": re.compile(r"<[^>{]*\sstyle\s*=", re.I),
    "an event handler": re.compile(r"<[^>{]*\son[a-z]+\s*=", re.I),
    "a javascript: address": re.compile(r"javascript:", re.I),
    "htmx running script": re.compile(r"\bhx-(on\b|vals=['\"]js:)"),
    "something from another site": re.compile(r"(src|<link[^>]*href)=\"https?://", re.I),
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_template_holds_nothing_that_the_policy_refuses(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert [what for what, pattern in REFUSED.items() if pattern.search(text)] == []


def test_icons_named_in_templates_exist() -> None:
    from staffroom.ui import built, icons

    file = built.file_for(icons.SOURCE)
    if file is None:
        pytest.skip("the front end is not built")
    known = icons._shapes(file)
    pattern = re.compile(r"""\bicon(?:=|\s+)["']([a-z0-9-]+)["']""")
    used = {name for path in TEMPLATES for name in pattern.findall(path.read_text(encoding="utf-8"))}
    assert used - set(known) == set()


def test_the_style_of_components_uses_tokens_only() -> None:
    """Colors are made in tokens.css; a component that mixes its own drifts away in dark mode."""
    raw = re.compile(r"#[0-9a-f]{3,8}\b|\brgba?\(|\bhsl\(", re.I)
    styles = PACKAGE / "ui" / "styles"
    assert [path.name for path in styles.glob("*.css") if raw.search(path.read_text())] == []
