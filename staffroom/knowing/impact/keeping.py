"""What is kept of an answer: JSON that speaks of nobody who is one of fewer than five, in numbers or in words.

The same function is the lock on the way in (`kept`) and once more on every way out (`showing.Result`, the API), so that what an
earlier version kept is looked through again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from staffroom.knowing import pictures
from staffroom.knowing.impact import practice
from staffroom.knowing.impact.hiding import SMALLEST, hidden_lines, is_small, shown

if TYPE_CHECKING:
    from staffroom.measure.answer import Answer

type Line = dict[str, Any]
LEAST_STUDENTS = 10
KEYS = ("event_time", "group", "term", "wave")
NOTHING: Mapping[str, None] = dict.fromkeys(("raw", "sd", "se", "low", "high", "p", "df"))
PEOPLE = ("teachers", "students", "cases", "drawn", "others", "units")
"""Numbers in sentences that count people, or may do so."""
SAYING = ("sentence", "warnings", "reasons", "decision")


def kept(answer: Answer, *, is_higher_better: bool = True) -> Line:
    """The answer as JSON. Where lower results are better, levels go back to the instrument's own direction."""
    said: Line = pictures.plain(answer)
    # Single teachers' ratings stay with who may see them; sums over teachers alone are kept here.
    said["details"].pop("single_case", None)
    for side in () if is_higher_better else (said["details"].get("sides") or {}).values():
        side["mean"] = None if side["mean"] is None else -side["mean"]
    return without_small(said, is_new=True)


def without_small(said: Mapping[str, Any], *, is_new: bool = False) -> Line:
    """The answer without what tells of one to four teachers or fewer than ten students, nor what these would follow from.

    Of a new one, lines that `measure` hid take another along; in one that was kept this has been done.
    """
    found = {**said, "details": _details(said, is_new)}
    found["by_event_time"] = lines_of(said.get("by_event_time") or (), is_new=is_new)
    # Each family of subgroups has everybody in it: what is hidden of one must not follow from the rest of it.
    families = groupby(said.get("by_subgroup") or (), key=lambda line: str(line.get("group")).partition(": ")[0])
    found["by_subgroup"] = [line for _name, family in families for line in lines_of(list(family), is_new=is_new)]
    found["by_group_time"] = _grid(said.get("by_group_time") or (), is_new)
    for part, name in (("replicability", "by_site"), ("scalability", "by_wave")):
        whole = said.get(part) or {}
        found[part] = {**whole, name: lines_of(whole.get(name) or (), is_new=is_new)}
    for name in ("efficiency", "cost"):
        found[name] = _per_head(said.get(name) or {})
    for name in SAYING:
        found[name] = [discreet(each) for each in said.get(name) or ()]
    found["gates"] = [_gate(each) for each in said.get("gates") or ()]
    found["n"] = _counts(said.get("n") or {})
    measures = practice.discreet(said.get("mechanism") or (), sites_shown(found))
    found["mechanism"] = [
        {
            **each,
            "n": _counts(each["n"]),
            **{name: [discreet(one) for one in each[name]] for name in ("sentence", "warnings")},
        }
        for each in measures
    ]
    return found


def sites_shown(said: Mapping[str, Any]) -> list[str]:
    """The sites whose own effect is shown."""
    return [str(line["group"]) for line in said["replicability"]["by_site"] if not line.get("hidden")]


# --- Lines of tables and pictures ------------------------------------------------------------------------------------------------


def lines_of(lines: Sequence[Line], *, is_new: bool = False) -> list[Line]:
    """Lines with those hidden that speak of few people, and the smallest other one if these would follow from it."""
    hide = _hidden([people_in(line) for line in lines], [bool(line.get("hidden")) for line in lines], is_new)
    return [_emptied(line) if each and not line.get("hidden") else line for line, each in zip(lines, hide, strict=True)]


def _hidden(people: Sequence[int], already: Sequence[bool], is_new: bool) -> Sequence[bool]:
    found = [0 if hide else count for count, hide in zip(people, already, strict=True)]
    return hidden_lines(found, also=already) if is_new or any(is_small(count) for count in found) else already


def _grid(lines: Sequence[Line], is_new: bool) -> list[Line]:
    """Lines by group and term: a group of few teachers is hidden in all terms, and so is the group that it would follow from."""
    groups = list(dict.fromkeys(line.get("group") for line in lines))
    of = {group: [line for line in lines if line.get("group") == group] for group in groups}
    people = [min((people_in(line) for line in of[group] if not line.get("hidden")), default=0) for group in groups]
    already = [any(line.get("hidden") for line in of[group]) for group in groups]
    hidden = {group for group, hide in zip(groups, _hidden(people, already, is_new), strict=True) if hide}
    return [_emptied(line) if line.get("group") in hidden else line for line in lines]


def people_in(line: Mapping[str, Any]) -> int:
    """How many teachers stand behind a line: of those who took part and of those compared with them the fewer."""
    size = line.get("n")
    if not isinstance(size, Mapping):
        return int(line.get("teachers") or 0)
    if 0 < (size.get("students") or 0) < LEAST_STUDENTS:
        return 1
    sides = [size.get(name) or 0 for name in ("treated_teachers", "comparison_teachers")]
    return int(min((each for each in sides if each), default=size.get("teachers") or 0))


def _emptied(line: Line) -> Line:
    return {
        **{name: line[name] for name in KEYS if name in line},
        "hidden": True, "effect": dict(NOTHING), "shrunken": None, "leave_one_out": None, "n": {},
    }  # fmt: skip


# --- Counts, and what is had by dividing through them ----------------------------------------------------------------------------


def _counts(n: Mapping[str, Any]) -> Line:
    """Beside the two sides their sum would give a hidden one away."""
    sides = ("treated_teachers", "comparison_teachers")
    whole = None if any(is_small(n.get(name) or 0) for name in sides) else n.get("teachers")
    return {
        **n,
        "teachers": whole,
        **{name: shown(n[name]) for name in (*sides, "students") if n.get(name) is not None},
    }


def _per_head(part: Mapping[str, Any]) -> Line:
    """Hours or dollars per head; nothing where the heads are few."""
    few = [name for name in ("teachers", "students") if is_small(part.get(name) or 0)]
    return {"known": False, "reason": "cost_too_few"} if few else dict(part)


def _details(said: Mapping[str, Any], is_new: bool) -> Line:
    details = dict(said.get("details") or {})
    if details.get("by_group"):
        details["by_group"] = lines_of(details["by_group"], is_new=is_new)
    if details.get("sides"):
        details["sides"] = {name: _side(side) for name, side in details["sides"].items()}
    n = said.get("n") or {}
    if any(
        name in n and (n[name] is None or is_small(n[name])) for name in ("treated_teachers", "comparison_teachers")
    ):
        details.pop("balance", None)
        details.pop("weights", None)
    if details.get("cutoff"):
        sides = ("teachers_left", "teachers_right", "effective_left", "effective_right")
        jump = details["cutoff"]
        details["cutoff"] = {**jump, **{name: shown(jump[name]) for name in sides if jump.get(name) is not None}}
    if details.get("dose"):
        details["dose"] = {**details["dose"], "groups": _doses(details["dose"].get("groups") or (), is_new)}
    return details


def _side(side: Line) -> Line:
    return {**side, "teachers": None, "mean": None, "sd": None} if is_small(side["teachers"] or 0) else side


def _doses(groups: Sequence[Line], is_new: bool) -> list[Line]:
    already = [bool(group.get("hidden")) for group in groups]
    hidden = _hidden([int(group["teachers"] or 0) for group in groups], already, is_new)
    return [
        {**dict.fromkeys(group), "least": group["least"], "most": group["most"], "hidden": True} if hide else group
        for group, hide in zip(groups, hidden, strict=True)
    ]


# --- Sentences -------------------------------------------------------------------------------------------------------------------


def discreet(kept: Line) -> Line:
    """A sentence whose one to four people are not counted."""
    names = (*PEOPLE, "treated") if kept["message"].startswith("drawn") else PEOPLE
    few = [name for name in names if isinstance(kept["values"].get(name), int) and is_small(kept["values"][name])]
    if not few:
        return kept
    values = {**kept["values"], **dict.fromkeys(few)}
    return {**kept, "values": values, "text": in_words(kept["message"], values)}


def in_words(message: str, values: Mapping[str, Any]) -> str:
    """The English sentence; numbers that are not told are “fewer than 5”."""
    from staffroom.measure.sentence import MESSAGES

    template = MESSAGES[message]
    for name in (name for name, value in values.items() if value is None):
        template = template.replace(f"%({name})d", f"fewer than {SMALLEST}")
    return template % {name: value for name, value in values.items() if value is not None}


def _gate(gate: Line) -> Line:
    said = discreet(gate["sentence"])
    return gate if said is gate["sentence"] else {**gate, "sentence": said, "value": None}
