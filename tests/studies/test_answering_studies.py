"""`staffroom study run` from files to the answer, as a user would: published numbers, every design, every output."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest

from staffroom.knowing.studies import telling
from tests.measure.panels import REFERENCE_DATA
from tests.studies.files import COLUMNS, HEAD, as_csv, panel, said, study

MPDTA = {"teacher": "countyreal", "term": "year", "score": "lemp", "first_treated": "first.treat"}
VALID = jsonschema_rs.validator_for(telling.schema())


@pytest.fixture
def counties() -> Path:
    path = REFERENCE_DATA / "mpdta.csv"
    if not path.exists():
        pytest.skip(f"reference data are missing: no {path.parent.parent.name}/{path.parent.name}/mpdta.csv")
    return path


def answered(path: Path) -> dict[str, Any]:
    """The JSON of `run`; it fits the schema that is shipped and holds no number that is not finite."""
    code, out, err = said("run", path, "--json")
    assert (code, err) == (0, "")
    result: dict[str, Any] = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    VALID.validate(result)
    return result


def test_callaway_and_santannas_published_numbers_come_out_of_the_file(tmp_path: Path, counties: Path) -> None:
    """R package did, data mpdta, never-treated controls, no covariates."""
    result = answered(
        study(
            tmp_path,
            data={"outcomes": str(counties)},
            columns=MPDTA,
            estimate={"estimator": "callaway_santanna", "controls": "never"},
        )
    )
    effect = result["effect"]
    assert result["estimator"] == "callaway_santanna"
    assert round(effect["raw"], 4) == -0.0400
    assert round(effect["raw_se"], 4) == pytest.approx(0.0120, abs=0.0002)
    assert (result["n"]["teachers"], result["n"]["terms"], result["n"]["results"]) == (500, 5, 2500)


def test_etwfe_with_a_covariate_gives_the_published_effect(tmp_path: Path, counties: Path) -> None:
    """R package etwfe, data mpdta, with lpop."""
    result = answered(
        study(
            tmp_path, data={"outcomes": str(counties)}, columns={**MPDTA, "covariates": ["lpop"]},
            estimate={"estimator": "etwfe", "controls": "notyet"},
        )
    )  # fmt: skip
    assert round(result["effect"]["raw"], 4) == -0.0506
    assert result["effect"]["raw_se"] == pytest.approx(0.0125, abs=0.0003)


def test_imputation_without_covariates_gives_its_reference_value(tmp_path: Path, counties: Path) -> None:
    result = answered(study(tmp_path, data={"outcomes": str(counties)}, columns=MPDTA, estimate={"calibrate": 20}))
    assert result["estimator"] == "imputation"
    assert result["effect"]["raw"] == pytest.approx(-0.0477099, abs=1e-7)
    assert any(gate["name"] == "calibration" and gate["value"] is not None for gate in result["gates"])


def test_zero_means_never_only_before_all_terms(tmp_path: Path) -> None:
    rows = [[*row[:3], row[3] - 2001, row[4] - 2001 if row[4] else "", row[5]] for row in panel()]
    (tmp_path / "results.csv").write_text(as_csv(rows))
    plain = answered(study(tmp_path, data={"outcomes": "results.csv"}))
    assert plain["n"]["comparison_teachers"] == 20
    (tmp_path / "results.csv").write_text(as_csv([[*row[:4], 0 if row[4] == "" else row[4], row[5]] for row in rows]))
    told = answered(study(tmp_path, data={"outcomes": "results.csv"}, study={"never": [0]}))
    assert told["effect"]["raw"] == pytest.approx(plain["effect"]["raw"], rel=1e-9)
    untold = answered(study(tmp_path, data={"outcomes": "results.csv"}))
    assert (
        untold["n"]["treated_teachers"] + untold["n"]["comparison_teachers"] < 60 or untold["estimator"] == "describe"
    )


def test_the_same_files_give_the_same_answer_twice(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(as_csv(panel()))
    path = study(tmp_path, data={"outcomes": "results.csv"})
    assert said("run", path, "--json") == said("run", path, "--json")


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """80 teachers in 20 schools, half of them drawn within schools, with prior scores, hours and costs: +4 points of about 11."""
    rng = np.random.default_rng(3)
    rows, drawn, took = [], [], []
    for teacher in range(80):
        is_drawn, own = teacher % 2, rng.normal(0, 2)
        drawn.append([f"T{teacher}", is_drawn, f"S{teacher // 4}"])
        if is_drawn:
            took.append([f"T{teacher}", 2, int(30 + rng.integers(10))])
        for student in range(12):
            prior = rng.normal(50, 10)
            score = prior + own + 4 * is_drawn + rng.normal(0, 5)
            rows.append(
                [f"s{teacher}-{student}", f"T{teacher}", f"S{teacher // 4}", 2, round(score, 2), round(prior, 2)]
            )
    head = ("student", "teacher", "school", "term", "score", "prior")
    (tmp_path / "results.csv").write_text(as_csv(rows, head))
    (tmp_path / "drawn.csv").write_text(as_csv(drawn, ("teacher", "assigned", "block")))
    (tmp_path / "took.csv").write_text(as_csv(took, ("teacher", "first_treated", "hours")))
    (tmp_path / "costs.csv").write_text(
        "ingredient,quantity,unit_price,payer,scales_with,instead\n"
        'Teacher time,1200,$45.00,District,teacher,0\nCoach,1,"$60,000",District,fixed,0\nSubstitutes,40,120,School,teacher,1\n'
    )
    return tmp_path


DRAWN = {name: name for name in ("student", "teacher", "school", "term", "score", "prior")}
STUDY = {"smallest_effect": 0.1, "planned_hours": 40, "price_year": 2025}


def test_a_lottery_is_answered_by_its_own_chance_with_hours_and_costs(drawn: Path) -> None:
    data = {"outcomes": "results.csv", "assignments": "drawn.csv", "activities": "took.csv", "costs": "costs.csv"}
    result = answered(study(drawn, data=data, columns=DRAWN, study=STUDY))
    assert result["estimator"] == "randomized"
    assert result["effect"]["raw_low"] < 4 < result["effect"]["raw_high"]
    assert result["effect"]["raw_low"] > 0
    cost = result["cost"]
    assert cost["known"]
    assert cost["total_usd_cents"] == 1200 * 4500 + 6_000_000
    assert cost["business_as_usual_usd_cents"] == 40 * 12_000
    assert cost["per_teacher_usd_cents"] == round((1200 * 4500 + 6_000_000 - 480_000) / 40)
    assert cost["price_year"] == 2025
    assert result["efficiency"]["known"]
    assert result["efficiency"]["sd_per_10_hours"]["low"] > 0


def test_without_the_draw_a_prior_score_makes_groups_alike(drawn: Path) -> None:
    result = answered(
        study(drawn, data={"outcomes": "results.csv", "activities": "took.csv"}, columns=DRAWN, study=STUDY)
    )
    assert result["estimator"] == "entropy_balanced"
    assert result["effect"]["raw_low"] < 4 < result["effect"]["raw_high"]


def test_a_rule_with_a_cutoff_is_answered_at_the_cutoff(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    rows = []
    for teacher in range(300):
        running = round(rng.uniform(-1, 1), 4)
        expected = 50 + 5 * running + 6 * (running >= 0)
        for _ in range(4):
            rows.append(
                [
                    f"T{teacher}",
                    f"S{teacher % 30}",
                    running,
                    int(running >= 0),
                    round(expected + rng.normal(0, 5), 2),
                ]
            )
    (tmp_path / "results.csv").write_text(as_csv(rows, ("teacher", "school", "running", "treated", "score")))
    columns = {
        "teacher": "teacher",
        "school": "school",
        "score": "score",
        "running": "running",
        "treated": "treated",
        "cutoff": 0,
    }
    result = answered(study(tmp_path, data={"outcomes": "results.csv"}, columns=columns))
    assert result["estimator"] == "cutoff"
    assert result["effect"]["raw_low"] < 6 < result["effect"]["raw_high"]


def test_a_few_teachers_with_ratings_are_answered_one_by_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = [
        [
            f"T{teacher}",
            session,
            int(session > 6 + teacher),
            round(3 + 0.8 * (session > 6 + teacher) + rng.normal(0, 0.3), 2),
        ]
        for teacher in range(4)
        for session in range(1, 15)
    ]
    (tmp_path / "ratings.csv").write_text(as_csv(rows, ("teacher", "session", "phase", "score")))
    by_file = answered(study(tmp_path, data={"ratings": "ratings.csv"}, columns={}))
    columns = {"teacher": "teacher", "term": "session", "score": "score", "treated": "phase"}
    by_terms = answered(study(tmp_path, data={"outcomes": "ratings.csv"}, columns=columns))
    assert by_file["estimator"] == by_terms["estimator"] == "single_case"
    assert by_file["effect"]["raw"] == pytest.approx(by_terms["effect"]["raw"])
    assert by_file["n"]["teachers"] == 4


def several(folder: Path) -> Path:
    """Two activities: one begins for a third of the teachers in 2003, the other for another third in 2004."""
    rows = panel()
    (folder / "results.csv").write_text(as_csv([[*row[:4], "", row[5]] for row in rows]))
    lines = [[f"T{teacher}", ("", "Coaching", "Workshop")[teacher % 3], year] for teacher in range(60) if teacher % 3
             for year in range(2002 + teacher % 3, 2006)]  # fmt: skip
    (folder / "took.csv").write_text(as_csv(lines, ("teacher", "activity", "term")))
    columns = {key: value for key, value in COLUMNS.items() if key != "first_treated"}
    return study(folder, data={"outcomes": "results.csv", "activities": "took.csv"}, columns=columns)


def test_several_activities_are_each_answered_and_told_of_each_other(tmp_path: Path) -> None:
    result = answered(several(tmp_path))
    assert [one["activity"] for one in result["studies"]] == ["Coaching", "Workshop"]
    assert [one["n"]["treated_teachers"] for one in result["studies"]] == [20, 20]
    for one, line in zip(result["studies"], result["multiplicity"]["activities"], strict=True):
        assert line["adjusted_p"] >= line["p"] == one["effect"]["p"]
    code, out, _ = said("run", tmp_path / "study.toml")
    assert code == 0
    assert "All activities together" in out


def test_one_activity_of_several_can_be_asked_for(tmp_path: Path) -> None:
    path = several(tmp_path)
    path.write_text(path.read_text() + "[study]\nactivity = 'Workshop'\n")
    assert answered(path)["activity"] == "Workshop"
    path.write_text(path.read_text().replace("Workshop", "Worksop"))
    code, _, err = said("run", path)
    assert code == 2
    assert "“Worksop” is not in took.csv; it has “Coaching”, “Workshop”" in err


def test_many_activities_are_answered_briefly_by_the_same_numbers(tmp_path: Path) -> None:
    rows = panel(teachers=120, schools=24)
    (tmp_path / "results.csv").write_text(as_csv([[*row[:4], "", row[5]] for row in rows]))
    rng = np.random.default_rng(6)
    lines = [[f"T{who}", f"Activity {one}", int(rng.integers(2002, 2005))] for one in range(12)
             for who in rng.choice(120, 50, replace=False)]  # fmt: skip
    (tmp_path / "took.csv").write_text(as_csv(lines, ("teacher", "activity", "first_treated")))
    columns = {key: value for key, value in COLUMNS.items() if key != "first_treated"}
    path = study(tmp_path, data={"outcomes": "results.csv", "activities": "took.csv"}, columns=columns)
    many = answered(path)
    assert len(many["studies"]) == 12
    assert "12 activities are answered briefly" in many["studies"][0]["warnings"][0]
    path.write_text(path.read_text() + "[study]\nactivity = 'Activity 3'\n")
    alone, brief = answered(path), next(one for one in many["studies"] if one["activity"] == "Activity 3")
    assert alone["effect"]["raw"] == pytest.approx(brief["effect"]["raw"], rel=1e-9)
    assert alone["effect"]["raw_se"] == pytest.approx(brief["effect"]["raw_se"], rel=1e-6)
    assert brief["tier"] >= 3


def test_the_text_fits_a_terminal_and_tells_all_five_measures(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(as_csv(panel()))
    code, out, err = said("run", study(tmp_path, data={"outcomes": "results.csv"}))
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    for word in ("Impact", "Replicability", "Scalability", "Efficiency", "Cost", "Evidence", "Checks", "Based on"):
        assert re.search(rf"^{word}\b", out, re.MULTILINE), word


def test_a_folder_holds_result_tables_pictures_and_report_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(as_csv([[*row[:2], f"={row[2]}"[1:], *row[3:]] for row in panel()]))
    path = study(tmp_path, data={"outcomes": "results.csv"}, study={"name": 'Number <talks> & "more"'})
    code, _, _ = said("run", path, "--out", tmp_path / "out")
    assert code == 0
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {
        "result.json",
        "report.html",
        "effects.csv",
        "checks.csv",
        "event_study.svg",
        "event_study.png",
        "event_study.csv",
    } <= names
    assert (tmp_path / "out" / "event_study.png").read_bytes().startswith(b"\x89PNG")
    report = (tmp_path / "out" / "report.html").read_text()
    assert "<script" not in report
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", report)
    assert "Number &lt;talks&gt; &amp;" in report
    VALID.validate(json.loads((tmp_path / "out" / "result.json").read_text()))
    code, _, err = said("run", path, "--out", tmp_path / "out")
    assert code == 2
    assert "exists already and is not empty" in err
    code, _, err = said("run", path, "--out", "/proc/nowhere/out")
    assert code == 2
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".out")], "nothing half written is left"


def test_check_says_what_would_be_done_and_tells_no_effect(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(as_csv(panel()))
    path = study(tmp_path, data={"outcomes": "results.csv"})
    code, out, _ = said("check", path, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["rows"] == found["rows_used"] == len(panel())
    assert found["activities"][0]["estimator"] == "imputation"
    assert found["activities"][0]["minimum_detectable_effect"] > 0
    assert not {"effect", "sentence", "tier"} & set(found["activities"][0])
    assert {gate["name"] for gate in found["activities"][0]["checks"]}.isdisjoint({"pre_trends", "separates_from_zero"})
    code, text, _ = said("check", path)
    assert code == 0
    assert "Nothing was estimated" in text


def test_init_writes_a_study_that_runs_and_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(as_csv(panel(), [*HEAD[:4], "first_treated", "score"]))
    code, out, _ = said("init", tmp_path / "results.csv")
    assert code == 0
    assert "results.toml" in out
    assert answered(tmp_path / "results.toml")["estimator"] == "imputation"
    before = (tmp_path / "results.toml").read_text()
    code, _, err = said("init", tmp_path / "results.csv")
    assert code == 2
    assert "exists already; nothing was changed" in err
    assert (tmp_path / "results.toml").read_text() == before


def test_the_command_starts_without_django_settings_or_a_data_folder(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(as_csv(panel(teachers=30, students=2)))
    path = study(tmp_path, data={"outcomes": "results.csv"})
    look = "import sys; from staffroom.cli import main; code = main(sys.argv[1:]); print('django' in sys.modules); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", look, "study", "run", str(path), "--json"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("False")
    assert not (tmp_path / "home").exists()


def test_how_groups_and_terms_are_compared_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(as_csv(panel(schools=24, terms=6)))
    wanted = {"base": "universal", "method": "reg", "anticipation": 1}
    code, out, err = said("run", study(tmp_path, data={"outcomes": "results.csv"}, estimate=wanted), "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert {line["event_time"] for line in found["by_group_time"]} == {-3, -1, 0, 1, 2, 3}  # against -2
    assert found["warnings"] == ["method was set, but has no bearing on this estimate."]
    for name, value in (("base", "last"), ("method", "ols"), ("anticipation", -1)):
        file = study(tmp_path, data={"outcomes": "results.csv"}, estimate={name: value}, name="wrong.toml")
        code, out, err = said("run", file)
        assert code == 2
        assert f"wrong.toml: [estimate] {name} must be" in err


def test_prices_that_are_ranges_make_the_cost_uncertain(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(as_csv(panel(schools=24)))
    head = ("ingredient", "quantity", "unit_price", "low", "high")
    (tmp_path / "costs.csv").write_text(as_csv([["coach", 40, 500, 400, 650], ["books", 100, 10, "", ""]], head))
    file = study(tmp_path, data={"outcomes": "results.csv", "costs": "costs.csv"})
    cost = json.loads(said("run", file, "--json")[1])["cost"]
    assert cost["per_student_se_usd_cents"] == pytest.approx(40 * 25_000 / 3.919928 / cost["students"], rel=1e-6)
    assert len(cost["region"]) == 60
    assert "(give or take $" in said("run", file)[1]
    (tmp_path / "costs.csv").write_text(as_csv([["coach", 40, 500, 600, 650]], head))
    code, _, err = said("run", file)
    assert (code, "costs.csv, row 2: the price must lie between low and high" in err) == (2, True)
