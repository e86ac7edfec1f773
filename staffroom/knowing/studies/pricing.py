"""Rows of a costs file as the ingredients of one activity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from staffroom.knowing.studies import Refused
from staffroom.knowing.studies.asking import Asked
from staffroom.measure.question import CostLine, Costs, Ingredient


def costs(asked: Asked, rows: list[dict[str, Any]], activity: str, *, many: bool) -> Costs | None:
    """What one activity cost: its own rows, or all of them where no row names an activity. Refused for prices of several years."""
    named = any(row["activity"] for row in rows)
    own = [row for row in rows if not named or row["activity"] == activity or (not many and row["activity"] is None)]
    if not own:
        return None
    years = {row["price_year"] for row in own if row["price_year"]}
    told = asked.study.get("price_year")
    if told is None and len(years) > 1:
        raise Refused(
            f"{asked.data['costs'].name}: prices are of several years ({', '.join(sorted(years))}); bring them to one"
        )
    year = told if told is not None else (int(min(years)) if years and min(years).isdigit() else None)
    return Costs(
        lines=tuple(map(_line, own)), price_year=None if year is None else int(year), students=asked.study.get("reached")
    )  # fmt: skip


def _line(row: Mapping[str, Any]) -> CostLine:
    ingredient = Ingredient(
        name=row["name"], quantity=row["quantity"], unit_price_usd_cents=row["cents"], payer=row["payer"],
        lifetime_years=row["lifetime_years"], discount_rate=row["discount_rate"],
    )  # fmt: skip
    wave = int(row["wave"]) if row["wave"] and str(row["wave"]).isdigit() else None
    return CostLine(
        ingredient, kind=row["kind"], scales_with=row["scales_with"], is_opportunity=row["opportunity"], instead=row["instead"],
        wave=wave, price_range=row["range"],
    )  # fmt: skip
