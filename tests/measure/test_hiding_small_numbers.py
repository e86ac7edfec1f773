import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from staffroom.measure.suppression import complement, suppress_list, suppress_table

SMALL = st.one_of(st.integers(0, 6), st.integers(0, 60))
TABLES = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(lambda shape: arrays(np.int64, shape, elements=SMALL))
LISTS = st.integers(1, 8).flatmap(lambda size: arrays(np.int64, size, elements=SMALL))


def with_totals(counts):
    rows = np.vstack([counts, counts.sum(axis=0)])
    return np.column_stack([rows, rows.sum(axis=1)])


def equations(shape):
    """Every row sums to its total and every column to its own: (lines, entries)."""
    rows, columns = shape
    lines = []
    for r in range(rows):
        line = np.zeros(shape)
        line[r, :-1], line[r, -1] = 1, -1
        lines.append(line.ravel())
    for c in range(columns):
        line = np.zeros(shape)
        line[:-1, c], line[-1, c] = 1, -1
        lines.append(line.ravel())
    return np.array(lines)


def determined(whole, hidden):
    """Which hidden entries follow from the shown ones by any combination of sums: no direction leaves them free."""
    system = equations(whole.shape)[:, hidden.ravel()]
    _, values, directions = np.linalg.svd(system)
    rank = (values > 1e-9).sum()
    free = np.abs(directions[rank:]).max(axis=0, initial=0) > 1e-9
    return ~free


@settings(deadline=None, max_examples=150)
@given(TABLES)
def test_no_hidden_count_of_a_table_follows_from_the_shown_ones(counts):
    whole, hidden = with_totals(counts), suppress_table(counts)
    assert hidden[(whole > 0) & (whole < 5)].all()
    assert not hidden[whole == 0].any()
    if hidden.any():
        assert not determined(whole, hidden).any()


@settings(deadline=None, max_examples=60)
@given(TABLES)
def test_another_table_with_no_zero_behind_a_mark_fits_what_is_shown(counts):
    """Stronger: each hidden count can be one more or one less with all hidden counts still at least one."""
    from scipy.optimize import linprog

    whole, hidden = with_totals(counts), suppress_table(counts)
    shown = np.where(hidden, 0, whole).ravel()
    system = equations(whole.shape)
    for place in range(int(hidden.sum())):
        cost = np.zeros(hidden.sum())
        cost[place] = 1
        fixed = {"A_eq": system[:, hidden.ravel()], "b_eq": -system @ shown, "bounds": [(1, None)] * len(cost)}
        least, most = linprog(cost, **fixed), linprog(-cost, **fixed)
        assert least.status == 0
        assert most.status == 3 or -most.fun - least.fun > 1 - 1e-6


@given(LISTS)
def test_no_hidden_count_of_a_list_follows_from_the_total(counts):
    hidden, total_hidden = suppress_list(counts)
    assert hidden[(counts > 0) & (counts < 5)].all()
    if hidden.any() and not total_hidden:
        assert hidden.sum() >= 2
        assert counts[hidden].sum() >= 5


def test_without_small_numbers_nothing_is_hidden():
    assert not suppress_table(np.array([[5, 9], [0, 12]])).any()
    assert suppress_list(np.array([5, 0, 9]))[0].tolist() == [False] * 3


def test_a_single_small_count_takes_the_cheapest_rectangle_with_it():
    hidden = suppress_table(np.array([[3, 10, 40], [20, 11, 50], [60, 70, 80]]))
    assert np.argwhere(hidden).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_two_small_counts_that_add_up_to_two_get_company():
    hidden, total_hidden = suppress_list(np.array([1, 1, 9, 30]))
    assert hidden.tolist() == [True, True, True, False]
    assert not total_hidden


def test_a_small_total_is_hidden_with_its_parts():
    hidden, total_hidden = suppress_list(np.array([3, 0, 0]))
    assert hidden.tolist() == [True, False, False]
    assert total_hidden


def test_one_hidden_line_beside_a_mean_gets_the_smallest_other_as_company():
    assert complement(np.array([True, False, False]), np.array([2, 90, 40])).tolist() == [True, False, True]
    assert complement(np.array([True, True, False]), np.array([2, 3, 40])).tolist() == [True, True, False]
    assert complement(np.array([False, False]), np.array([20, 30])).tolist() == [False, False]


@pytest.mark.parametrize("counts", [[[-1, 2]], [[1.5, 2.0]], [[np.nan, 1.0]], [1, 2], [[]]])
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(ValueError, match="counts must"):
        suppress_table(np.array(counts))
