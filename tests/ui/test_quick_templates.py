"""What is written in Python or remembered, because Django's own way costs too much, says what Django's own way says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.forms.renderers import DjangoTemplates
from django.template import Context, Engine, Template
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from staffroom.ui import widgets
from staffroom.ui.fixed import fixed
from staffroom.ui.forms import Renderer
from staffroom.ui.templatetags import quick
from tests.ui.conftest import Render

CHOICES = [("", "None"), ("a&b", "A & <b>"), ("More", [("c", "C"), ("d", SafeString("<i>D</i>"))])]
FLAT = CHOICES[:2]
WIDGETS: list[tuple[forms.Widget, Any]] = [
    (forms.TextInput({"maxlength": 20, "data-x": 'a"b', "autofocus": True, "hidden": False}), 'say "hello" & <go>'),
    (forms.TextInput(), None),
    (forms.NumberInput({"step": "any"}), 3),
    (forms.EmailInput(), "a@example.org"),
    (forms.PasswordInput(), "secret"),
    (forms.HiddenInput(), "x"),
    (forms.DateInput({"type": "date"}), date(2026, 3, 4)),
    (forms.CheckboxInput(), True),
    (forms.CheckboxInput(), False),
    (forms.Textarea({"rows": 3}), "<two>\nlines"),
    (forms.Textarea(), None),
    (forms.Select(choices=CHOICES), "d"),
    (forms.SelectMultiple(choices=CHOICES), ["a&b", "c"]),
    (forms.RadioSelect({"class": "plain"}, choices=CHOICES), "c"),
    (forms.CheckboxSelectMultiple(choices=FLAT), ["a&b"]),
    (forms.FileInput(), None),
]


def _folded(markup: str) -> str:
    return re.sub(r">\s+<", "><", re.sub(r"\s+", " ", markup)).strip()


@pytest.mark.parametrize(
    ("widget", "value"),
    [pytest.param(*each, id=f"{place}-{type(each[0]).__name__}") for place, each in enumerate(WIDGETS)],
)
def test_a_widget_is_written_as_django_writes_it(widget: forms.Widget, value: Any) -> None:
    for attributes in ({"id": "id_x"}, {}):
        ours, theirs = (
            _folded(widget.render("na<me", value, attributes, renderer=each))
            for each in (Renderer(), DjangoTemplates())
        )
        assert ours == theirs


def test_most_widgets_need_no_template() -> None:
    written = [
        widget for widget, _ in WIDGETS if widgets.written(widget.template_name, widget.get_context("x", None, {}))
    ]
    assert len(written) == len(WIDGETS) - 1  # files


def _plain(source: str) -> str:
    """As Django alone renders it."""
    engine = Engine(libraries={"i18n": "django.templatetags.i18n"})
    return engine.from_string(source).render(Context({"a": "x", "when": MOMENT, "day": MOMENT.date(), "nothing": None}))


MOMENT = datetime(2026, 7, 1, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("zone", ["UTC", "America/Chicago"])
@pytest.mark.parametrize(
    "source",
    [
        '{{ when|date:"c" }} {{ when|date:"DATETIME_FORMAT" }} {{ when|date }}',
        '{{ day|date:"c" }} {{ day|date:"DATE_FORMAT" }} {{ nothing|date:"c" }} {{ a|date:"c" }}',
        '{% load i18n %}{% translate "Yes" %} {% translate "100%% <sure>" %} {% trans "It\'s" %}',
        '{% load i18n %}{% translate a %}{% translate "Save" as b %}{{ b }}{% translate "Y"|lower %}',
    ],
)
def test_dates_and_sentences_read_as_django_writes_them(source: str, zone: str, language: str) -> None:
    with timezone.override(zone), translation.override(language):
        context = Context({"a": "x", "when": MOMENT, "day": MOMENT.date(), "nothing": None})
        ours = [Template(source).render(context) for _ in range(2)]
        assert ours == [_plain(source)] * 2


def test_a_date_follows_the_zone_of_the_page() -> None:
    shown = []
    for zone in ("UTC", "America/Chicago"):
        with timezone.override(zone):
            shown.append(quick.date(MOMENT, "H:i"))
    assert shown == ["03:04", "22:04"]


def test_an_address_is_found_for_each_argument(render: Render) -> None:
    assert render('{% url "lessons" %}') == "/lessons/"
    assert render('{% url "nowhere" as here %}[{{ here }}]') == "[]"
    with pytest.raises(Exception, match="nowhere"):
        render('{% url "nowhere" %}')


def test_a_fixed_part_says_the_same_for_the_same_words_only() -> None:
    two = [fixed("ui/components/page_header.html", title=title) for title in ("One", "<Two>")]
    assert "One" in two[0]
    assert "&lt;Two&gt;" in two[1]
    with translation.override("de"):
        assert fixed("ui/components/page_header.html", title="One") == two[0]


def test_all_templates_know_the_quick_tags() -> None:
    options = settings.TEMPLATES[0]["OPTIONS"]
    assert options["builtins"] == ["staffroom.ui.templatetags.quick"]
    assert options["libraries"]["i18n"] == "staffroom.ui.templatetags.said"
