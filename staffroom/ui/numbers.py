"""How pages write numbers: grouped in thousands as the language does, without zeros that say nothing.

Templates do so by themselves with whole numbers (`USE_THOUSAND_SEPARATOR`); sentences that are made in Python call these. What a
program reads, such as an id, an address, a form's value, a file or a drawing's coordinates, is never written this way.
"""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format


def count(number: float) -> str:
    """9,000"""
    return str(number_format(round(number)))


def decimal(number: float | Decimal, most: int = 1) -> str:
    """1,719.5 and 24: with at most so many places after the point."""
    short = f"{number:.{most}f}"
    return str(number_format(short.rstrip("0").rstrip(".") if "." in short else short))
