"""The forest plot: what each site found, what that says about it, their average, and what the next site should expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from staffroom.knowing.pictures.reading import has_interval, is_number, shown, size_of
from staffroom.knowing.pictures.scales import Scale, around_zero
from staffroom.knowing.pictures.sheet import RIGHT, WIDTH, Picture, Sheet
from staffroom.knowing.pictures.words import Say, count, counted, likely, percent, signed

NAMES = 204
ROW, TIGHT, MANY = 30, 9, 40
"""Beyond so many sites lines stand close together, without names."""


def forest(answer: Mapping[str, Any], say: Say, note: str = "") -> Picture | None:
    """Sites in the order in which the answer has them; None without at least two that may be drawn."""
    found = answer.get("replicability") or {}
    sites = shown(found.get("by_site"))
    if len(sites) < 2:
        return None
    return Picture(
        "forest", say("Site by site"), _text(found, sites, say), _columns(found, say), _rows(found, say), _sheet(found, sites, say), note
    )  # fmt: skip


def _sheet(found: Mapping[str, Any], sites: Sequence[Mapping[str, Any]], say: Say) -> Sheet:
    step = ROW if len(sites) <= MANY else TIGHT
    pooled = found.get("pooled") if has_interval(found.get("pooled")) else None
    bottom = 24 + step * len(sites) + (78 if pooled else 8)
    sheet = Sheet(bottom + 46)
    across = _scale(found, sites, pooled)
    sheet.columns(across, signed, 12, bottom)
    sheet.down(across.at(0), "zero", 12, bottom)
    largest = max((size_of(site).get("teachers") or 1) for site in sites)
    for number, site in enumerate(sites):
        _site(sheet, across, site, 24 + step * (number + 0.5), largest, is_named=step == ROW)
    if pooled:
        _average(sheet, across, found, pooled, 24 + step * len(sites) + 12, say)
    sheet.text(across.end, bottom + 44, say("Effect in SD"), "axis", "end")
    return sheet


def _scale(found: Mapping[str, Any], sites: Sequence[Mapping[str, Any]], pooled: Mapping[str, Any] | None) -> Scale:
    """Wide enough for most; the widest intervals run to the edge, or nothing else could be read."""
    ends = sorted(abs(site["effect"][end]) for site in sites for end in ("low", "high"))
    limit = ends[int(0.95 * (len(ends) - 1))] * 1.15
    values = [max(-limit, min(limit, site["effect"][end])) for site in sites for end in ("low", "high")]
    values += [pooled[end] for end in ("low", "high")] if pooled else []
    values += [found[end] for end in ("prediction_low", "prediction_high") if is_number(found.get(end))]
    return around_zero(values, NAMES + 14, WIDTH - RIGHT)


def _site(sheet: Sheet, across: Scale, site: Mapping[str, Any], y: float, largest: float, *, is_named: bool) -> None:
    effect, drawn = site["effect"], site.get("shrunken")
    if is_named:
        sheet.name(NAMES, y + 4, str(site.get("group", "")), "end")
    sheet.across(y, "ghost", across.at(effect["low"]), across.at(effect["high"]))
    half = (3.0 + 5.0 * ((size_of(site).get("teachers") or 1) / largest) ** 0.5) if is_named else 2.0
    if across.holds(effect["sd"]):
        sheet.rect(across.at(effect["sd"]) - half, y - half, 2 * half, 2 * half, "own")
    if drawn and is_number(drawn.get("sd")):
        sheet.dot(across.at(drawn["sd"]), y, "full", 4 if is_named else 2)


def _average(
    sheet: Sheet, across: Scale, found: Mapping[str, Any], pooled: Mapping[str, Any], y: float, say: Say
) -> None:
    low, middle, high = (across.at(pooled[name]) for name in ("low", "sd", "high"))
    sheet.across(y - 8, "rule", 0, WIDTH - RIGHT)
    sheet.name(NAMES, y + 16, say("Average"), "end", "label strong")
    sheet.path(f"M{low} {y + 12}L{middle} {y + 3}L{max(high, low + 2)} {y + 12}L{middle} {y + 21}Z", "diamond")
    if is_number(found.get("prediction_low")) and is_number(found.get("prediction_high")):
        sheet.name(NAMES, y + 48, say("Next site"), "end", "label strong")
        start, end = across.at(found["prediction_low"]), across.at(found["prediction_high"])
        sheet.rect(start, y + 38, end - start, 12, "range", 3)


def _text(found: Mapping[str, Any], sites: Sequence[Mapping[str, Any]], say: Say) -> str:
    said = [
        say(
            "Each line is what one site found by itself, likely within its ends; the larger its square, the more teachers. The "
            "dot is what we would say of that site knowing all the others: small sites are drawn towards the average."
        )
    ]
    pooled = found.get("pooled")
    if has_interval(pooled):
        assert pooled is not None
        values = {"sites": len(found.get("by_site") or ()), "sd": signed(pooled["sd"]), "likely": likely(pooled, say)}
        said.append(say("Over %(sites)s sites the average is %(sd)s SD (likely %(likely)s).") % values)
    if is_number(found.get("prediction_low")) and is_number(found.get("prediction_high")):
        values = {"low": signed(found["prediction_low"]), "high": signed(found["prediction_high"])}
        said.append(say("The next site should expect between %(low)s and %(high)s SD.") % values)
    if is_number(found.get("probability_positive")):
        chance = percent(found["probability_positive"])
        said.append(say("The chance that it gains at all is %(chance)s.") % {"chance": chance})
    hidden = len(found.get("by_site") or ()) - len(sites)
    if hidden:
        words = counted(
            say,
            "%(count)s site with too few people is not drawn.",
            "%(count)s sites with too few people are not drawn.",
            hidden,
        )
        said.append(words % {"count": hidden})
    return " ".join(said)


def _columns(found: Mapping[str, Any], say: Say) -> list[str]:
    first = say("Cohort") if found.get("by") == "cohort" else say("Site")
    alone = [first, say("SD"), say("95 % interval")]
    return [*alone, say("Knowing all sites"), say("Average without it"), say("Teachers"), say("Results")]


def _rows(found: Mapping[str, Any], say: Say) -> list[list[str]]:
    rows = [_row(site, say) for site in found.get("by_site") or ()]
    pooled = found.get("pooled")
    if has_interval(pooled):
        assert pooled is not None
        rows.append([say("Average"), signed(pooled["sd"]), likely(pooled, say), "", "", "", ""])
    if is_number(found.get("prediction_low")) and is_number(found.get("prediction_high")):
        spread = likely({"low": found["prediction_low"], "high": found["prediction_high"]}, say)
        rows.append([say("Next site"), "", spread, "", "", "", ""])
    return rows


def _row(site: Mapping[str, Any], say: Say) -> list[str]:
    name, effect = str(site.get("group", "")), site.get("effect")
    if site.get("hidden") or not has_interval(effect):
        return [name, *[say("not shown")] * 6]
    assert effect is not None
    size, drawn = size_of(site), site.get("shrunken") or {}
    return [
        name, signed(effect["sd"]), likely(effect, say), signed(drawn.get("sd")), signed(site.get("leave_one_out")),
        count(size.get("teachers")), count(size.get("results")),
    ]  # fmt: skip
