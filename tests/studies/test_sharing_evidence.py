"""Evidence bundles are made, signed, checked and pooled; what was changed, doubled or too small is refused."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from staffroom.knowing.studies import Refused, bundles
from tests.studies.files import as_csv, panel, said, study


def bundle(folder: Path, seed: int = 1, *words: object, **facts: object) -> Path:
    """The bundle of an organization's study."""
    own = folder / f"organization{seed}"
    own.mkdir()
    (own / "results.csv").write_text(as_csv(panel(seed=seed, schools=24)))
    path = study(
        own,
        data={"outcomes": "results.csv"},
        study={"organization": f"District {seed}", "practice_version": "2", **facts},
    )
    code, _, err = said("run", path, "--bundle", own / "bundle.json", *words)
    assert code == 0, err
    return own / "bundle.json"


def test_bundles_are_pooled_with_what_the_next_site_should_expect(tmp_path: Path) -> None:
    files = [bundle(tmp_path, seed, "--key", tmp_path / "key.pem") for seed in (1, 2, 3)]
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    code, out, err = said("pool", *files, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["replicability"]["known"]
    assert found["replicability"]["prediction_low"] < found["effect"]["sd"] < found["replicability"]["prediction_high"]
    assert sum(one["weight"] for one in found["bundles"]) == pytest.approx(1)
    assert len({one["signed_by"] for one in found["bundles"]}) == 1
    assert found["n"]["teachers"] == 180
    code, text, _ = said("pool", *files)
    assert code == 0
    assert "The next site" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_bundle_names_no_person_and_no_school(tmp_path: Path) -> None:
    text = bundle(tmp_path).read_text()
    assert "T1" not in text
    assert '"C1' not in text
    assert set(json.loads(text)["n"]) == {"students", "teachers", "schools", "clusters"}


def test_a_bundle_that_was_changed_after_it_was_signed_is_refused(tmp_path: Path) -> None:
    files = [bundle(tmp_path, seed, "--key", tmp_path / "key.pem") for seed in (1, 2)]
    changed = json.loads(files[0].read_text())
    changed["effect"]["sd"] += 0.1
    files[0].write_text(json.dumps(changed))
    code, out, err = said("pool", *files)
    assert (code, out) == (2, "")
    assert "was changed after it was signed" in err


def test_an_unsigned_bundle_is_pooled_with_a_warning(tmp_path: Path) -> None:
    code, out, _ = said("pool", bundle(tmp_path, 1), bundle(tmp_path, 2), "--json")
    assert code == 0
    warnings = json.loads(out)["warnings"]
    assert "bundle.json is not signed." in warnings
    assert "Two bundles do not let anything be said of the next site." in warnings


def test_the_same_evidence_does_not_count_twice(tmp_path: Path) -> None:
    one = bundle(tmp_path)
    copy = tmp_path / "copy.json"
    copy.write_text(json.dumps(json.loads(one.read_text()) | {"organization": "Another name"}))
    code, _, err = said("pool", one, copy)
    assert code == 2
    assert "copy.json and bundle.json are the same evidence" in err


def test_bundles_that_differ_in_what_they_ask_are_told(tmp_path: Path) -> None:
    files = [bundle(tmp_path, 1), bundle(tmp_path, 2, practice_version="3", outcome="Reading")]
    _, out, _ = said("pool", *files, "--json")
    warnings = " ".join(json.loads(out)["warnings"])
    assert "different outcomes" in warnings
    assert "different versions of the practice" in warnings
    assert "different protocols" in warnings


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not an evidence bundle"),
        ('{"format": "staffroom-evidence-bundle-1"}', "has no effect with an error above 0"),
        ('{"format": "staffroom-evidence-bundle-1", "effect": {"sd": NaN, "se": 1}}', "is not JSON"),
        (
            '{"format": "staffroom-evidence-bundle-1", "effect": {"sd": 1, "se": 0}}',
            "has no effect with an error above 0",
        ),
        (
            '{"format": "staffroom-evidence-bundle-1", "effect": {"sd": 1, "se": 1}, "n": {}, "gates": 3}',
            "lacks its sizes",
        ),
    ],
)
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(content)
    with pytest.raises(Refused, match=words):
        bundles.read(path)


def test_too_few_people_are_not_told_to_others() -> None:
    answer: dict[str, Any] = {
        "effect": {"sd": 0.1, "se": 0.1}, "n": {}, "efficiency": {}, "cost": {}, "tier": 4, "estimator": "imputation",
        "gates": [{"name": "minimum_cell", "passed": False}],
    }  # fmt: skip
    with pytest.raises(Refused, match="too few students or teachers"):
        bundles.bundle_of(answer)
    answer["effect"]["se"] = None
    with pytest.raises(Refused, match="no effect with an error"):
        bundles.bundle_of(answer)


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("not a key")
    with pytest.raises(Refused, match="is not a private key"):
        bundles.private_key(tmp_path / "key.pem")


def test_ratings_alone_make_a_bundle_without_a_number_of_students(tmp_path: Path) -> None:
    rows = [
        [f"T{t}", s, 3 + 0.8 * (s >= 8) + ((7 * s + 3 * t) % 5) / 5, int(s >= 8)] for t in range(4) for s in range(16)
    ]
    (tmp_path / "ratings.csv").write_text(as_csv(rows, ("teacher", "session", "score", "phase")))
    file = study(tmp_path, data={"ratings": "ratings.csv"}, columns={})
    code, out, _ = said("run", file, "--json", "--bundle", tmp_path / "ours.json")
    assert code == 0
    assert json.loads(out)["n"]["students"] is None
    assert "students" not in json.loads((tmp_path / "ours.json").read_text())["n"]
    assert said("pool", tmp_path / "ours.json", bundle(tmp_path))[0] == 0
