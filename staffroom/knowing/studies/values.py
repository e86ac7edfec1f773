"""Columns of a batch as plain labels and numbers; what is neither is refused with file, column and row."""

from __future__ import annotations

from typing import Any

from staffroom.knowing.studies import Refused

LARGEST = 1e60
"""Beyond this, sums of products leave the range of floating point."""
MISSING = ("", "na", "n/a", "nan", "null", "none", ".", "-")


def labels(column: Any, file: str, name: str, row: int) -> Any:
    import pyarrow
    import pyarrow.compute as compute

    text = _text(column)
    text = compute.utf8_trim_whitespace(text)
    _refuse_formulas(text, file, name, row)
    missing = compute.is_in(compute.utf8_lower(text), value_set=pyarrow.array(MISSING))
    return compute.if_else(missing, pyarrow.scalar(None, pyarrow.string()), text)


def _text(column: Any) -> Any:
    """As text: whole floating-point numbers (ids of a table with gaps) without their “.0”."""
    import pyarrow
    import pyarrow.compute as compute

    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pyarrow.types.is_floating(column.type):
        column = compute.if_else(compute.is_nan(column), None, column)
        whole = compute.fill_null(compute.equal(compute.floor(column), column), False)
        inside = compute.fill_null(compute.less(compute.abs(column), 2.0**53), False)
        if compute.all(compute.or_(compute.and_(whole, inside), compute.is_null(column))).as_py() is not False:
            column = compute.cast(column, pyarrow.int64())
    if pyarrow.types.is_timestamp(column.type):
        column = compute.strftime(column, format="%Y-%m-%d")
    return compute.cast(column, pyarrow.string())


def _refuse_formulas(text: Any, file: str, name: str, row: int) -> None:
    import pyarrow.compute as compute

    formula = compute.fill_null(compute.match_substring_regex(text, r"^[=@]"), False)
    if compute.any(formula).as_py():
        place = compute.index(formula, True).as_py()
        raise Refused(f"{file}, column {name}, row {row + place}: {_shown(text[place])} is a formula, not a value")


def numbers(column: Any, file: str, name: str, row: int, decimal_comma: bool) -> Any:
    import pyarrow
    import pyarrow.compute as compute

    if pyarrow.types.is_boolean(column.type):
        column = compute.cast(column, pyarrow.int8())
    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
        column = _parsed(compute.utf8_trim_whitespace(column), file, name, row, decimal_comma)
    elif not (
        pyarrow.types.is_integer(column.type) or pyarrow.types.is_floating(column.type) or _is_decimal(column.type)
    ):
        raise Refused(f"{file}, column {name}: holds {column.type}, not numbers")
    values = compute.cast(column, pyarrow.float64(), safe=False)
    values = compute.if_else(compute.is_nan(values), pyarrow.scalar(None, pyarrow.float64()), values)
    beyond = compute.fill_null(compute.greater(compute.abs(values), LARGEST), False)
    if compute.any(beyond).as_py():
        place = compute.index(beyond, True).as_py()
        raise Refused(
            f"{file}, column {name}, row {row + place}: {_shown(column[place])} is not a finite number of any use"
        )
    return values


def _is_decimal(kind: Any) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_decimal(kind))


def _parsed(text: Any, file: str, name: str, row: int, decimal_comma: bool) -> Any:
    import pyarrow
    import pyarrow.compute as compute

    _refuse_formulas(text, file, name, row)
    missing = compute.is_in(compute.utf8_lower(text), value_set=pyarrow.array(MISSING))
    text = compute.if_else(missing, pyarrow.scalar(None, text.type), text)
    plain = compute.replace_substring(text, ",", ".") if decimal_comma else text
    plain = compute.replace_substring_regex(plain, r"^\+", "")
    try:
        return compute.cast(plain, pyarrow.float64())
    except pyarrow.ArrowInvalid:
        for place, value in enumerate(plain.to_pylist()):
            if value is not None and not _is_number(value):
                shown = _shown(text[place])
                raise Refused(f"{file}, column {name}, row {row + place}: {shown} is not a number") from None
        raise Refused(f"{file}, column {name}: holds something that is not a number") from None


def _is_number(text: str) -> bool:
    import pyarrow
    import pyarrow.compute as compute

    try:
        compute.cast(pyarrow.array([text]), pyarrow.float64())
    except pyarrow.ArrowInvalid:
        return False
    return True


def _shown(value: Any) -> str:
    text = str(value)
    return f"“{text if len(text) <= 40 else text[:40] + '…'}”"
