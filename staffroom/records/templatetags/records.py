"""How pages write money, numbers and verbs of the ledgers."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from staffroom import options
from staffroom.records import retired
from staffroom.records.vocabulary import verb_label

register = template.Library()


@register.filter
def dollars(cents: Any) -> str:
    """Whole cents as dollars: 123456 is $1,234.56; nothing is a dash."""
    if cents is None:
        return "–"
    sign, whole = ("−" if cents < 0 else ""), abs(int(cents))
    return f"{sign}${number_format(whole // 100, force_grouping=True)}.{whole % 100:02d}"


@register.filter
def quantity(value: Any) -> str:
    """A decimal without zeros at its end."""
    return number_format(f"{value.normalize():f}")


@register.filter
def hours(value: float) -> str:
    return _("%(hours)s h") % {"hours": number_format(round(value, 1), 1)}


@register.inclusion_tag("records/parts/kept_since.html")
def kept_since() -> dict[str, Any]:
    """Since when entries are kept one by one, on pages that show them; nothing where all are."""
    return {"since": retired.kept_since() if options.get("ledger_months") > 0 else None}


register.filter("verb", verb_label)
