"""An answer as a page shows it: the same parts for an activity, for a study and for the printed report.

An answer comes as the JSON that was kept (`measure.answer.Answer`, small numbers already left out). Sites in it are keys of
schools: those who lead or administer where the comparison was made see names, everybody else numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from staffroom.knowing import pictures
from staffroom.knowing.impact import practice, showing_practice, wording
from staffroom.knowing.impact.keeping import without_small

type Line = dict[str, Any]
EMPTY: Mapping[str, Any] = {"sd": None, "se": None, "low": None, "high": None, "p": None, "df": None, "raw": None}
KINDS = {"svg": "image/svg+xml", "png": "image/png"}
"""Which files a picture is, by the end of its name."""
FIRST = ("event_study", "cutoff", "dose", "forest", "waves")
"""Pictures that a page shows at once; the others follow what would change the answer."""
BEHIND = {
    "waves": "attendance",
    "dose": "attendance",
    "frontier": "attendance",
    "cost_plane": "costs",
    "worth": "costs",
}
"""Which entries a picture came from; all others came from results."""


@dataclass
class Result:
    """One answer with its words, measures and pictures."""

    answer: dict[str, Any]
    title: str = ""
    is_higher_better: bool = True
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of sites by key; who may not see them is given none."""
    others: Sequence[Mapping[str, Any]] = ()
    """Other activities as points of the planes (`pictures.point_of`)."""
    terms: Sequence[str] = ()
    """Names of the terms with outcomes, in order."""

    def __post_init__(self) -> None:
        self.answer = named(without_small(self.answer), self.names)

    def say(self, kept: Mapping[str, Any]) -> str:
        return wording.sentence(kept, is_higher_better=self.is_higher_better)

    def _said(self, name: str) -> list[str]:
        return [self.say(each) for each in self.answer.get(name) or ()]

    # --- Words ---------------------------------------------------------------------------------------------------------------

    @cached_property
    def headline(self) -> str:
        return " ".join(self._said("sentence")) or " ".join(self._said("reasons")[:1])

    @cached_property
    def further_reasons(self) -> list[str]:
        said = self._said("reasons")
        return said if self.answer.get("sentence") else said[1:]

    @property
    def warnings(self) -> list[str]:
        return self._said("warnings")

    @property
    def decision(self) -> list[str]:
        """Why this comparison and no other."""
        return self._said("decision")

    @cached_property
    def changes(self) -> list[str]:
        return pictures.what_would_change(self.answer, wording.translate)

    @property
    def gates(self) -> list[Line]:
        """Checks, those that were not passed first."""
        found = [
            {"name": wording.gate_name(gate["name"]), "passed": gate["passed"], "sentence": self.say(gate["sentence"])}
            for gate in self.answer.get("gates") or ()
        ]
        return sorted(found, key=lambda gate: bool(gate["passed"]))

    @property
    def has_effect(self) -> bool:
        effect = self.answer.get("effect") or EMPTY
        return effect["sd"] is not None and effect["low"] is not None and effect["high"] is not None

    @property
    def tier(self) -> int | None:
        return self.answer.get("tier") if self.answer.get("effect") else None

    @property
    def tier_name(self) -> str:
        return wording.tier(self.tier) if self.tier else _("Not yet known")

    @property
    def tier_tone(self) -> str:
        return wording.tier_tone(self.tier) if self.tier else ""

    @property
    def estimator(self) -> str:
        return wording.estimator(self.answer["estimator"])

    @property
    def basis(self) -> str:
        """How much the answer stands on, in a line."""
        return wording.basis(self.answer.get("n") or {})

    @cached_property
    def practice(self) -> list[showing_practice.Shown]:
        """Whether practice changed where outcomes did, measure by measure."""
        return [showing_practice.shown(each) for each in self.answer.get("mechanism") or ()]

    # --- Measures and pictures -----------------------------------------------------------------------------------------------

    @cached_property
    def measures(self) -> list[dict[str, str]]:
        """The five, as the component for one figure takes them."""
        return [stat_of(each) for each in pictures.five(self.answer, wording.translate)]

    @cached_property
    def drawn(self) -> dict[str, pictures.Picture]:
        return pictures.drawn(self.answer, title=self.title, say=wording.translate, others=self.others)

    # --- Tables --------------------------------------------------------------------------------------------------------------

    @property
    def subgroups(self) -> Line:
        """For whom it differs: groups that were declared beforehand, and no others."""
        return _table(
            _("For whom"), [(str(line.get("group", "")), line) for line in self.answer.get("by_subgroup") or ()]
        )

    @property
    def groups(self) -> Line:
        """Effects by the term in which teachers began, over all their terms."""
        lines = (self.answer.get("details") or {}).get("by_group") or ()
        return _table(_("Began in"), [(self._term(line.get("group")), line) for line in lines])

    def _term(self, place: Any) -> str:
        return self.terms[place] if isinstance(place, int) and 0 <= place < len(self.terms) else str(place)

    @property
    def beside(self) -> Line:
        """Other ways of estimating, never in the headline's place."""
        effect, n = self.answer.get("effect"), self.answer.get("n") or {}
        found = [(name, each) for name, each in (self.answer.get("beside") or {}).items() if each]
        if not effect or not found:
            return {"columns": [], "rows": []}
        lines = [(_("Headline: %(name)s") % {"name": self.estimator}, {"effect": effect, "n": n})]
        lines += [(wording.estimator(name), {"effect": each, "n": n}) for name, each in found]
        return _table(_("Estimator"), lines)

    def report(self, *, subtitle: str, language: str) -> str:
        """The printable file."""
        return pictures.report(
            self.answer, title=self.title, subtitle=subtitle, say=wording.translate, sentences=self.say, language=language,
            others=self.others,
        )  # fmt: skip


def pictures_of(
    result: Result | None, address: Callable[[str, str], str], records: Mapping[str, str] | None = None
) -> dict[str, list[Line]]:
    """The pictures as a page shows them, those that come first and the others; `address` of a picture's name and kind of file.

    `records`: where the entries behind are: "attendance", "costs", "results".
    """
    found: dict[str, list[Line]] = {"first": [], "practice": [], "more": []}
    for name, picture in result.drawn.items() if result else ():
        files = [(kind.upper(), address(name, kind)) for kind in KINDS]
        where = "practice" if name.startswith("mechanism") else "first" if name in FIRST else "more"
        behind = "" if where == "practice" else (records or {}).get(BEHIND.get(name, "results"), "")
        found[where].append({"picture": picture, "drawing": drawing_of(picture), "files": files, "records": behind})
    return found


def stat_of(measure: pictures.Measure) -> dict[str, str]:
    said = "; ".join(part for part in (measure.range, measure.behind) if part)
    return {
        "measure": measure.key, "label": measure.label, "value": measure.value, "unit": measure.unit, "range": said,
        "note": wording.tier(measure.tier) if measure.tier and measure.is_known else "",
        "tone": wording.tier_tone(measure.tier) if measure.tier and measure.is_known else "",
    }  # fmt: skip


def drawing_of(picture: pictures.Picture) -> SafeString:
    """The drawing for a page."""
    return mark_safe(picture.inline)  # noqa: S308 - made of numbers and of words that `pictures` has escaped


def _table(first: str, lines: Sequence[tuple[str, Mapping[str, Any]]]) -> Line:
    columns = [first, _("SD"), _("95 % interval"), _("Teachers"), _("Results")]
    return {"columns": columns, "rows": [[name, *wording.cells_of(line)] for name, line in lines]}


# --- Small numbers and names -------------------------------------------------------------------------------------------------


def named(answer: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The answer with names of schools, or with numbers that tell nothing, in the places of their keys."""
    sites = answer.get("replicability") or {}
    lines = sites.get("by_site") or []
    if sites.get("by") == "cohort" or not lines:
        return answer
    keys = sorted(str(line.get("group")) for line in lines)
    called = {key: names.get(key) or _("School %(number)s") % {"number": number} for number, key in enumerate(keys, 1)}
    by_site = [{**line, "group": called[str(line.get("group"))]} for line in lines]
    by_site.sort(key=lambda line: (len(line["group"]) if not names else 0, line["group"]))
    measures = [practice.named(each, called, is_by_name=bool(names)) for each in answer.get("mechanism") or ()]
    return {**answer, "replicability": {**sites, "by_site": by_site}, "mechanism": measures}
