import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staffroom.measure import federation
from staffroom.measure.cells import cells_from_rows
from staffroom.measure.projection import least_squares

NAMES = ("score", "treated", "prior")


def _rows(
    seed: int, *, site: int, schools: int = 7, terms: range = range(4), treated: float = 0.6
) -> dict[str, np.ndarray]:
    """Rows of one site; taking part starts in different terms, and a few results are missing."""
    rng = np.random.default_rng([seed, site])
    teachers = schools * 4
    who, when = (each.ravel() for each in np.meshgrid(np.arange(teachers), np.array(terms), indexing="ij"))
    n = rng.integers(1, 4, who.size)
    teacher, term = np.repeat(who, n), np.repeat(when, n)
    kept = rng.random(teacher.size) > 0.05
    teacher, term = teacher[kept], term[kept]
    first = np.where(rng.random(teachers) < treated, rng.integers(terms.start + 1, terms.stop, teachers), 99)
    part = (term >= first[teacher]).astype(float)
    prior = rng.normal(size=teacher.size) + 0.2 * part + site
    y = 500 + 30 * rng.normal(size=teachers)[teacher] + 3 * term + 2 * part + 5 * prior + rng.normal(size=teacher.size)
    return {
        "teacher": teacher + 1000 * site,
        "school": teacher // 4 + 100 * site,
        "term": term,
        "y": y,
        "part": part,
        "prior": prior,
    }


def _cells(rows, weight=None):
    columns = [rows["y"], rows["part"], rows["prior"]]
    return cells_from_rows(
        teacher=rows["teacher"], school=rows["school"], term=rows["term"], columns=columns, weight=weight
    )


def _together(parts):
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _sent(message):
    """Through JSON and back, as between organizations."""
    return type(message).from_plain(json.loads(json.dumps(message.plain(), allow_nan=False)))


def _federate(sites, regressors=("treated", "prior")):
    fit = _sent(federation.combine([_sent(federation.share(site, NAMES)) for site in sites], "score", regressors))
    return federation.conclude(fit, [_sent(federation.answer(site, NAMES, fit)) for site in sites])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_sites_that_share_sums_get_what_the_pooled_rows_give(seed, count):
    parts = [_rows(seed, site=site, schools=20 + site, terms=range(site % 2, 4 + site % 2)) for site in range(count)]
    pooled = least_squares(_cells(_together(parts)))
    found = _federate([_cells(part) for part in parts])
    assert found.coefficients == pytest.approx(pooled.coefficients, rel=1e-10)
    assert found.covariance == pytest.approx(pooled.covariance, rel=1e-10)
    assert found.clusters == pooled.clusters


def test_weights_are_carried_through():
    parts = [_rows(5, site=site) for site in range(2)]
    weights = [np.random.default_rng(site).uniform(0.5, 2, len(part["y"])) for site, part in enumerate(parts)]
    pooled = least_squares(_cells(_together(parts), np.concatenate(weights)))
    found = _federate([_cells(part, weight) for part, weight in zip(parts, weights, strict=True)])
    assert found.coefficients == pytest.approx(pooled.coefficients, rel=1e-10)
    assert found.covariance == pytest.approx(pooled.covariance, rel=1e-10)


def test_a_regressor_that_effects_explain_is_left_out_everywhere():
    parts = [_rows(6, site=site) for site in range(2)]
    for part in parts:
        part["prior"] = part["teacher"].astype(float)
    found = _federate([_cells(part) for part in parts])
    assert list(found.kept) == [True, False]
    assert np.isnan(found.coefficients[1])
    assert found.coefficients[0] == pytest.approx(least_squares(_cells(_together(parts))).coefficients[0], rel=1e-9)


def test_a_message_says_nothing_of_one_school_and_has_no_more_numbers_than_columns_squared():
    message = federation.share(_cells(_rows(7, site=0)), NAMES).plain()
    assert np.array(message["moments"]).shape == (7, 7)
    assert set(message) == {"kind", "version", *federation.SiteMoments.__slots__}
    assert message["version"] == 1


def test_fewer_than_five_schools_are_refused():
    with pytest.raises(ValueError, match="stands on 4 schools: at least 5"):
        federation.share(_cells(_rows(8, site=0, schools=4)), NAMES)
    with pytest.raises(ValueError, match="at least 8"):
        federation.share(_cells(_rows(8, site=0, schools=7)), NAMES, least=8)
    with pytest.raises(ValueError, match="at least 5"):
        federation.share(_cells(_rows(8, site=0, schools=4)), NAMES, least=1)


def test_a_sum_that_is_nought_in_all_but_a_few_schools_is_refused_by_name():
    rows = _rows(9, site=0, schools=8)
    rows["part"] *= rows["school"] < 3
    with pytest.raises(ValueError, match="treated"):
        federation.share(_cells(rows), NAMES)
    rows = _rows(9, site=0, schools=8)
    late = (rows["term"] == 3) & (rows["school"] >= 2)
    with pytest.raises(ValueError, match="term 3"):
        federation.share(_cells({name: values[~late] for name, values in rows.items()}), NAMES)


def test_the_second_round_is_refused_by_a_site_that_has_become_small():
    sites = [_cells(_rows(10, site=site)) for site in range(2)]
    fit = federation.combine([federation.share(site, NAMES) for site in sites], "score", ["treated"])
    with pytest.raises(ValueError, match="at least 5"):
        federation.answer(_cells(_rows(10, site=0, schools=3)), NAMES, fit)
    with pytest.raises(ValueError, match="other columns or terms"):
        federation.answer(sites[0], ("score", "treated", "other"), fit)
    with pytest.raises(ValueError, match="7 schools, but 14"):
        federation.conclude(fit, [federation.answer(sites[0], NAMES, fit)])


def test_sites_with_other_columns_and_questions_without_a_column_are_refused():
    message = federation.share(_cells(_rows(11, site=0)), NAMES)
    other = federation.share(_cells(_rows(11, site=1)), ("score", "treated", "attendance"))
    with pytest.raises(ValueError, match="site 1 has columns"):
        federation.combine([message, other], "score", ["treated"])
    with pytest.raises(ValueError, match="no column 'hours'"):
        federation.combine([message], "score", ["hours"])
    with pytest.raises(ValueError, match="needs a regressor"):
        federation.combine([message], "score", [])
    with pytest.raises(ValueError, match="no sites"):
        federation.combine([], "score", ["treated"])
    with pytest.raises(ValueError, match="3 columns need as many"):
        federation.share(_cells(_rows(11, site=0)), ("score", "treated"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "meat"}, "no message of kind"),
        ({"version": 2}, "version 2"),
        ({"moments": [[1.0]]}, "moments have shape"),
        ({"moments": "many"}, "moments are not numbers"),
        ({"mean": [1.0, float("nan"), 1.0]}, "mean are not finite"),
        ({"names": ["a", "a", "b"]}, "repeat"),
        ({"names": [1, 2, 3]}, "not words"),
        ({"terms": [0.5, 1, 2, 3]}, "not whole"),
        ({"schools": 4}, "must not have been sent"),
        ({"schools": True}, "not whole"),
        ({"mass": -1.0}, "sums of squares"),
    ],
    ids=range(11),
)
def test_messages_that_were_changed_are_refused(change, sentence):
    message = federation.share(_cells(_rows(12, site=0)), NAMES).plain() | change
    with pytest.raises(ValueError, match=sentence):
        federation.SiteMoments.from_plain(message)


def test_moments_that_are_no_sums_of_squares_are_refused():
    message = federation.share(_cells(_rows(12, site=0)), NAMES).plain()
    message["moments"][0][0] *= -1
    with pytest.raises(ValueError, match="sums of squares"):
        federation.SiteMoments.from_plain(message)
    message["moments"][0][1] += 1e6
    with pytest.raises(ValueError, match="not symmetric"):
        federation.SiteMoments.from_plain(message)
    with pytest.raises(ValueError, match="has no mean"):
        federation.SiteMoments.from_plain({name: value for name, value in message.items() if name != "mean"})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"coefficients": 3}, "not numbers"),
        ({"coefficients": ["a", "b"]}, "not numbers"),
        ({"coefficients": [1.0]}, "coefficients have shape"),
        ({"bread": [[1.0]]}, "bread have shape"),
        ({"outcome": 7}, "outcome are not words"),
        ({"factor": "large"}, "factor are not numbers"),
    ],
    ids=range(6),
)
def test_fits_that_were_changed_are_refused(change, sentence):
    fit = federation.combine([federation.share(_cells(_rows(13, site=0)), NAMES)], "score", ["treated", "prior"])
    with pytest.raises(ValueError, match=sentence):
        federation.Fit.from_plain(fit.plain() | change)
    with pytest.raises(ValueError, match="no message"):
        federation.SiteMeat.from_plain([1, 2])
