"""Pictures of an answer: each with words and a table that say the same; none without its interval; nothing ranked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from staffroom.knowing import pictures
from staffroom.knowing.pictures.planes import cost_plane, frontier
from staffroom.knowing.pictures.scales import Scale, around_zero
from staffroom.knowing.pictures.styles import COLORS
from staffroom.measure.answer import Answer, Effect, Line, Replicability, Size
from tests.pictures import answers

EVERYTHING = {
    "event_study",
    "forest",
    "waves",
    "frontier",
    "cost_plane",
    "worth",
    "balance",
    "sensitivity",
    "single_case",
}
NOTHING = Answer(estimator="describe", effect=None, n=Size(0, 0, 0, 0))


def test_everything_that_is_known_is_drawn() -> None:
    assert set(pictures.drawn(answers.full(), title="Number talks")) == EVERYTHING


def test_an_answer_and_its_json_give_the_same_pictures() -> None:
    kept = json.loads(json.dumps(pictures.plain(answers.full())))
    assert pictures.svgs(kept, title="x") == pictures.svgs(answers.full(), title="x")
    assert pictures.report(kept, title="x") == pictures.report(answers.full(), title="x")


def test_of_nothing_there_is_no_picture_but_a_report() -> None:
    assert pictures.drawn(NOTHING) == {}
    assert "<h1>Lesson study</h1>" in pictures.report(NOTHING, title="Lesson study")
    with pytest.raises(TypeError, match="an answer has an estimator"):
        pictures.drawn({"sd": 1})


def test_an_effect_without_an_interval_is_not_drawn() -> None:
    bare = replace(
        answers.full(),
        effect=Effect(raw=1.0, sd=0.2),
        by_event_time=(Line(Effect(sd=0.2), Size(1, 1, 1, 1), event_time=0),),
    )
    assert not {"event_study", "frontier", "cost_plane"} & set(pictures.drawn(bare))
    assert pictures.five(pictures.answer_of(bare))[0].value == "—"


@pytest.mark.parametrize("name", sorted(EVERYTHING))
def test_a_picture_says_in_words_and_numbers_what_it_shows(name: str) -> None:
    picture = pictures.drawn(answers.full(), title="Number talks")[name]
    assert picture.text
    assert picture.rows
    assert all(len(row) == len(picture.columns) for row in picture.rows)
    assert all(isinstance(cell, str) for row in picture.rows for cell in row)
    tree = ElementTree.fromstring(picture.svg)
    words = [each.text for each in tree.iter() if each.tag.endswith(("title", "desc", "text"))]
    assert picture.title in words
    assert picture.text in words
    assert "128 teachers, 16 schools, 42,000 results" in picture.svg


@pytest.mark.parametrize("name", sorted(EVERYTHING))
def test_on_a_page_a_picture_brings_no_styles_and_stays_on_its_sheet(name: str) -> None:
    inline = pictures.drawn(answers.full())[name].inline
    assert "style" not in inline
    assert 'aria-hidden="true"' in inline
    assert len(inline) < 6_000
    tree = ElementTree.fromstring(inline)
    height = float(tree.attrib["viewBox"].split()[3])
    for mark in tree.iter():
        for key, limit in (("x", 720.0), ("cx", 720.0), ("y", height), ("cy", height)):
            assert 0 <= float(mark.attrib.get(key, 0)) <= limit, mark.attrib


def test_names_cannot_break_out_of_a_picture() -> None:
    forest = pictures.drawn(answers.full())["forest"]
    assert "Elm &lt;East&gt; &amp; West" in forest.svg
    report = pictures.report(answers.full(), title="<script>alert(1)</script>", subtitle="<b>")
    assert "<script" not in report
    assert "&lt;b&gt;" in report


def test_sites_with_too_few_people_are_not_drawn_and_not_told() -> None:
    forest = pictures.drawn(answers.full())["forest"]
    assert "Hazel" not in forest.svg
    assert ["Hazel", *["not shown"] * 6] in [list(row) for row in forest.rows]


def test_more_sites_than_can_be_named_still_make_a_picture() -> None:
    many = tuple(Line(answers.effect(0.1, 0.05 + n / 1000), answers.size(5), group=f"Site {n}") for n in range(300))
    forest = pictures.drawn(replace(answers.full(), replicability=Replicability(known=True, by_site=many)))["forest"]
    assert "Site 7<" not in forest.inline
    assert len(forest.rows) == 300


def test_words_go_through_the_callers_translation() -> None:
    seen: set[str] = set()

    def shout(text: str) -> str:
        seen.add(text)
        return text.upper().replace("(SD)", "(sd)") if "%(" not in text else text

    picture = pictures.drawn(answers.full(), say=shout)["event_study"]
    assert picture.title == "BEFORE AND AFTER"
    assert "Before and after" in seen


def test_only_intervals_that_do_not_meet_set_activities_apart() -> None:
    def point(name: str, low: float, high: float) -> dict[str, object]:
        return {
            "name": name,
            "effect": {"sd": (low + high) / 2, "low": low, "high": high},
            "hours": 10,
            "cost_usd_cents": 900,
        }

    apart = frontier([point("Talks", 0.2, 0.3), point("Rounds", 0.0, 0.1)], str)
    meet = cost_plane([point("Talks", 0.05, 0.3), point("Rounds", 0.0, 0.1)], str)
    assert apart is not None
    assert meet is not None
    assert "Talks lies above Rounds: their intervals do not meet." in apart.text
    assert "none can be said to be better" in meet.text


def test_where_the_cost_is_not_known_to_the_dollar_a_region_is_drawn_and_all_of_it_is_on_the_picture() -> None:
    known = {"name": "Talks", "effect": {"sd": 0.2, "low": 0.1, "high": 0.3}, "cost_usd_cents": 900}
    unsure = {**known, "region": [[500, 0.2], [900, 0.45], [1_300, 0.2], [900, -0.05]]}
    drawn, without = cost_plane([unsure], str), cost_plane([known], str)
    assert drawn is not None
    assert without is not None
    outline = next(mark for mark in drawn.sheet.marks if 'class="band"' in mark)
    assert outline.count("L") == 3
    places = {tuple(map(float, place.split())) for place in re.findall(r"[ML]([0-9. ]+)", outline)}
    assert len(places) == 4, "nothing was pushed to the edge"
    assert "shaded region" in drawn.text
    assert "region" not in without.text
    assert not [mark for mark in without.sheet.marks if "band" in mark]


def test_what_would_change_the_answer_is_said_in_words() -> None:
    said = " ".join(pictures.what_would_change(pictures.answer_of(answers.full())))
    assert "1.4 times" in said
    assert "No single site decides" in said
    assert "less than 0.08 SD" in said
    assert pictures.what_would_change(pictures.answer_of(NOTHING)) == []


def test_a_picture_can_be_had_as_pixels_without_any_font_of_the_system() -> None:
    found = pictures.png(pictures.svgs(answers.full())["forest"])
    assert found.startswith(b"\x89PNG")
    wide = int.from_bytes(found[16:20])
    assert wide == 2 * 760
    with pytest.raises(ValueError, match="no drawing"):
        pictures.png("<p>")


def test_the_report_fetches_nothing_and_runs_nothing() -> None:
    report = pictures.report(answers.full(), title="Number talks")
    assert not re.search(r"<script|<link|https?://(?!www\.w3\.org)|url\(|@import", report)
    assert report.count("<svg") == len(EVERYTHING)
    for word in ("The five measures", "What would change the answer", "94 %", "How sure this is"):
        assert word in report


def test_files_have_the_colors_of_the_pages() -> None:
    tokens = (Path(__file__).parents[2] / "staffroom/ui/styles/tokens.css").read_text()
    for name, (day, _night) in COLORS.items():
        found = re.search(rf"--{name}: light-dark\(oklch\(([\d.]+)", tokens)
        assert found, name
        red, green, blue = (int(day[place : place + 2], 16) / 255 for place in (1, 3, 5))
        light = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
        assert abs(light ** (1 / 3) - float(found[1])) < 0.06, name


def test_looking_at_pictures_needs_no_numpy_and_no_django() -> None:
    code = "import sys; import staffroom.knowing.pictures; print('numpy' in sys.modules, 'django' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]


def test_a_scale_keeps_what_lies_outside_at_its_edge() -> None:
    scale = Scale(0, 10, 100, 200)
    assert [scale.at(value) for value in (-5, 0, 5, 10, 99)] == [100, 100, 150, 200, 200]
    assert around_zero([], 0, 100).holds(0)
