"""What a page says of practice beside outcomes: the sentence, figures with interval, how many and how sure, and what to bear in mind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from staffroom.knowing.impact import wording


@dataclass(frozen=True)
class Shown:
    """One measure of practice."""

    name: str
    headline: str
    sentences: list[str]
    stats: list[dict[str, str]]
    """As the component for one figure takes them."""
    basis: str
    warnings: list[str]


def shown(practice: Mapping[str, Any]) -> Shown:
    """One measure, as it was kept, in words."""
    said = [wording.sentence(each) for each in practice["sentence"]]
    return Shown(
        name=practice["name"], headline=said[0] if said else "", sentences=said[1:], stats=_stats(practice),
        basis=basis(practice), warnings=[wording.sentence(each) for each in practice["warnings"]],
    )  # fmt: skip


def basis(practice: Mapping[str, Any]) -> str:
    """How many teachers, schools and ratings stand behind it."""
    n = practice.get("n") or {}
    named = (
        ("treated_teachers", _("%(count)s rated teachers who took part")),
        ("comparison_teachers", _("%(count)s to compare with")), ("schools", _("%(count)s schools")),
        ("results", _("%(count)s ratings")),
    )  # fmt: skip
    return ", ".join(words % {"count": wording.count(n[name])} for name, words in named if n.get(name))


def _stats(practice: Mapping[str, Any]) -> list[dict[str, str]]:
    effect, link = practice.get("effect") or {}, practice.get("link") or {}
    found = []
    if effect.get("low") is not None and effect.get("high") is not None:
        found.append(_stat(_("Change of practice"), effect["sd"], effect, _("SD of ratings"), practice["tier"]))
    if link.get("correlation") is not None:
        found.append(
            _stat(_("Together with scores"), link["correlation"], link, _("correlation over schools"), link["tier"])
        )
    return found


def _stat(label: str, value: float, ends: Mapping[str, Any], unit: str, tier: int) -> dict[str, str]:
    return {
        "label": label, "value": wording.signed(value), "unit": unit, "range": wording.interval(ends["low"], ends["high"]),
        "note": wording.tier(tier), "tone": wording.tier_tone(tier),
    }  # fmt: skip
