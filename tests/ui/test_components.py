"""Components render what they promise, and refuse what they do not know."""

from __future__ import annotations

import re

import pytest
from django.template import TemplateSyntaxError

from staffroom.ui.components.buttons import clock_time
from staffroom.ui.components.marks import hue, initials
from tests.ui.conftest import Render

UNKNOWN = [
    '{% button "Save" color="red" %}',
    '{% link_button "Go" "/" target="_blank" %}',
    '{% chip "New" class="x" %}',
    '{% icon "check" color="red" %}',
    '{% avatar "Amara" hue=3 %}',
    '{% stat "Wait" 2 colour="red" %}',
    '{% progress "Upload" percent=3 %}',
    '{% page_header "Lessons" subtitle="x" %}',
    "{% pagination page=3 %}",
    "{% card shadow=3 %}{% endcard %}",
    '{% section title="A" box=1 %}{% endsection %}',
    '{% dialog id="a" title="b" wide=1 %}{% enddialog %}',
    '{% figure title="A" text="b" chart="c" %}{% endfigure %}',
    '{% form form color="red" %}',
    '{% tab "Mine" "/" active=True %}',
]


@pytest.mark.parametrize("source", UNKNOWN)
def test_a_component_refuses_a_parameter_that_it_does_not_know(render: Render, source: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="unexpected keyword argument"):
        render(source)


@pytest.mark.parametrize(
    ("source", "known"),
    [
        ('{% button "Save" kind="huge" %}', "“main”"),
        ('{% button "Save" type="link" %}', "“submit”"),
        ('{% chip "New" tone="purple" %}', "“impact”"),
        ('{% avatar "Amara" size="xl" %}', "“l”"),
        ('{% card kind="box" %}{% endcard %}', "“lead”"),
        ('{% note tone="loud" %}{% endnote %}', "“warn”"),
        ('{% measure "beauty" %}', "“cost”"),
    ],
)
def test_a_component_names_the_values_it_knows(render: Render, source: str, known: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=known):
        render(source)


def test_text_is_escaped_everywhere(render: Render) -> None:
    evil = '"><script>alert(1)</script>'
    for source in (
        "{% button evil %}",
        "{% button evil icon_only=True icon='x' %}",
        "{% link_button evil evil %}",
        "{% chip evil %}",
        "{% avatar evil %}",
        "{% person evil href=evil %}",
        "{% stat evil evil unit=evil range=evil note=evil %}",
        "{% card title=evil eyebrow=evil note=evil href=evil %}{% endcard %}",
        "{% section title=evil id=evil %}{% endsection %}",
        "{% table_region label=evil %}{% endtable_region %}",
        "{% progress evil note=evil remaining=evil poll=evil %}",
        "{% page_header evil lede=evil up_url=evil up_label=evil %}",
        "{% dialog id=evil title=evil %}{% enddialog %}",
        "{% empty_state title=evil text=evil %}{% endempty_state %}",
        "{% figure title=evil text=evil records_url=evil %}{% endfigure %}",
    ):
        assert "<script" not in render(source, evil=evil), source
        assert "alert(1)" not in re.sub(r"&quot;&gt;&lt;script&gt;alert\(1\)", "", render(source, evil=evil)), source


def test_an_icon_is_silent_unless_it_has_a_label(render: Render) -> None:
    assert 'aria-hidden="true"' in render('{% icon "check" %}')
    assert 'role="img" aria-label="Done"' in render('{% icon "check" label="Done" %}')


def test_a_button_with_only_an_icon_has_a_name(render: Render) -> None:
    assert 'aria-label="Close"' in render('{% button "Close" icon="x" icon_only=True %}')


def test_a_button_that_opens_a_dialog_does_not_submit(render: Render) -> None:
    html = render('{% button "Ask" opens="question" %}')
    assert 'type="button"' in html
    assert 'commandfor="question"' in html


def test_the_table_behind_a_figure_holds_its_numbers(render: Render) -> None:
    html = render(
        '{% figure title="Wait" text="It rose." columns=columns rows=rows %}<svg></svg>{% endfigure %}',
        columns=["Lesson", "Seconds"],
        rows=[("First", "1.1"), ("Last", "2.9")],
    )
    assert "It rose." in html
    assert '<th scope="row">Last</th><td class="num">2.9</td>' in html


def test_an_empty_state_without_a_first_step_leaves_no_hole(render: Render) -> None:
    assert "empty-state-body" not in render('{% empty_state title="A" text="b" %} {% endempty_state %}')


def test_progress_is_exact_and_independent_of_the_language(render: Render, settings: object) -> None:
    html = render('{% progress "Upload" value=0.5 max=1 %}')
    assert 'value="0.5" max="1"' in html
    assert " value=" not in render('{% progress "Upload" %}')


def test_the_current_tab_says_so(render: Render) -> None:
    html = render('{% tabs label="Lessons" %}{% tab "Mine" "/" current=True %}{% tab "All" "/all/" %}{% endtabs %}')
    assert html.count('aria-current="page"') == 1


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.9, "0:59"), (131, "2:11"), (3731, "1:02:11")])
def test_seconds_are_shown_as_a_clock_reads_them(seconds: float, shown: str) -> None:
    assert clock_time(seconds) == shown


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Amara Okafor", "AO"),
        ("Priya", "P"),
        ("Élodie de la Chabert", "ÉC"),
        ("", "?"),
        ("李 明", "李明"),
        ("(A) B", "B"),
    ],
)
def test_initials_are_of_the_first_and_last_word(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_a_name_keeps_its_hue() -> None:
    assert hue("Amara Okafor") == hue("Amara Okafor")
    assert {hue(f"Person {n}") for n in range(300)} == set(range(1, 13))
