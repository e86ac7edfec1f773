"""How stored things stand in a table of "My record": written in Python, since the page has a hundred rows and more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django import template
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from staffroom.home.queries import Stored
from staffroom.ui.elements import element, shown
from staffroom.ui.templatetags.quick import date as date_in_words

register = template.Library()

LONGEST = 140


@register.simple_tag
def stored_rows(rows: Iterable[Stored]) -> SafeString:
    """What, by whom, who can read it, when it ends."""
    return SafeString("".join(_row(row) for row in rows))


def _row(row: Stored) -> str:
    text = row.text if len(row.text) <= LONGEST else f"{row.text[: LONGEST - 1]}…"
    what = element("a", text, href=row.page) if row.page else shown(text)
    is_day = isinstance(row.ends, date)
    return (
        f'<tr><th scope="row">{what}</th><td>{shown(capfirst(row.author))}</td><td>{shown(capfirst(row.readers))}</td>'
        f"<td{' class="nowrap"' if is_day else ''}>{shown(_end(row.ends))}</td></tr>\n"
    )


def _end(ends: date | str) -> str:
    if isinstance(ends, date):
        return date_in_words(ends, "DATETIME_FORMAT" if isinstance(ends, datetime) else "DATE_FORMAT")
    return str(ends)
