"""A framework as it arrives: an outline of rows, whichever layout it came in. Parsing here, storing in ``actions``.

CASE: the JSON of 1EdTech's Competencies and Academic Standards Exchange 1.0 and 1.1 (``CFDocument``, ``CFItems``, and the
``isChildOf`` rows of ``CFAssociations``, whose origin is the child). CSV: ``code, parent, kind, title, statement`` and optionally
``identifier``; ``parent`` names the code or identifier of another row.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

MOST_ELEMENTS = 20_000
MOST_BYTES = 8 * 1024 * 1024
LIMITS = {"identifier": 255, "code": 60, "title": 300, "statement": 10_000, "kind": 60}
COLUMNS = ("identifier", "code", "parent", "kind", "title", "statement")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with what arrived: where it stands, and why it is refused."""

    where: str
    reason: str


class BadFramework(ValueError):
    """What arrived cannot be taken in; nothing was changed. Carries every problem found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.where}: {problem.reason}" for problem in problems[:3]))
        self.problems = problems


@dataclass(frozen=True)
class Row:
    """One statement: its place in the tree by its parent's identifier, empty at the top."""

    identifier: str
    parent: str
    code: str
    title: str
    statement: str
    kind: str


@dataclass
class Outline:
    """A whole framework on its way in; rows stand parents first, in reading order."""

    title: str
    source_id: str = ""
    label: str = ""
    rows: list[Row] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Hash of the content, by which a second import of the same is known."""
        content = [self.title, self.label, [tuple(vars(row).values()) for row in self.rows]]
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def from_case(document: Any) -> Outline:
    """Read a CASE package; raises BadFramework with all its problems."""
    package = document.get("CFPackage", document) if isinstance(document, dict) else None
    if not isinstance(package, dict) or not isinstance(package.get("CFDocument"), dict):
        raise BadFramework([Problem("CFDocument", _("This is no CASE package: it has no CFDocument."))])
    head = package["CFDocument"]
    problems: list[Problem] = []
    items = _case_items(package.get("CFItems"), problems)
    parents, order = _case_tree(package.get("CFAssociations"), str(head.get("identifier", "")), items, problems)
    title = _text(head.get("title"))[:200]
    if not title:
        problems.append(Problem("CFDocument", _("The title is missing.")))
    rows = [_case_row(item, parents.get(identifier, "")) for identifier, item in items.items()]
    ordered = _parents_first(rows, order, problems)
    _refuse(problems)
    return Outline(title, _text(head.get("identifier"))[:255], _text(head.get("version"))[:100], ordered)


def _case_items(items: Any, problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """Items by identifier, without those that are refused."""
    if not isinstance(items, list) or not items:
        problems.append(Problem("CFItems", _("The package has no items.")))
        return {}
    if len(items) > MOST_ELEMENTS:
        raise BadFramework([Problem("CFItems", _("More than %(most)s items.") % {"most": MOST_ELEMENTS})])
    found: dict[str, dict[str, Any]] = {}
    for number, item in enumerate(items, start=1):
        where = f"CFItems[{number}]"
        if not isinstance(item, dict):
            problems.append(Problem(where, _("Not an object.")))
        elif not _text(item.get("identifier")):
            problems.append(Problem(where, _("The identifier is missing.")))
        elif not _text(item.get("fullStatement")):
            problems.append(Problem(where, _("The fullStatement is missing.")))
        elif item["identifier"] in found:
            problems.append(Problem(where, _("The identifier stands there twice.")))
        else:
            found[_text(item["identifier"])] = item
    return found


def _case_tree(
    associations: Any, document_id: str, items: dict[str, Any], problems: list[Problem]
) -> tuple[dict[str, str], dict[str, tuple[int, int]]]:
    """Each item's parent, and its place among siblings, from the isChildOf associations. The first parent counts."""
    parents: dict[str, str] = {}
    order = {identifier: (10**9, number) for number, identifier in enumerate(items)}
    if associations is None:
        return parents, order
    if not isinstance(associations, list):
        problems.append(Problem("CFAssociations", _("Not a list.")))
        return parents, order
    for number, association in enumerate(associations, start=1):
        if not isinstance(association, dict):
            problems.append(Problem(f"CFAssociations[{number}]", _("Not an object.")))
            continue
        if association.get("associationType") != "isChildOf":
            continue
        child, parent = _node(association, "originNodeURI"), _node(association, "destinationNodeURI")
        where = f"CFAssociations[{number}]"
        if child not in items:
            problems.append(Problem(where, _("It begins at an item that is not in the package.")))
        elif parent not in items and parent != document_id:
            problems.append(Problem(where, _("It leads to an item that is not in the package.")))
        elif child not in parents:
            parents[child] = "" if parent == document_id else parent
            sequence = association.get("sequenceNumber")
            if isinstance(sequence, int) and not isinstance(sequence, bool):
                order[child] = (sequence, order[child][1])
    return parents, order


def _node(association: dict[str, Any], name: str) -> str:
    """The identifier at one end of an association: an object in CASE, a bare address in some exports."""
    node = association.get(name)
    if isinstance(node, dict):
        return _text(node.get("identifier")) or _text(node.get("uri")).rstrip("/").rsplit("/", 1)[-1]
    return _text(node).rstrip("/").rsplit("/", 1)[-1]


def _case_row(item: dict[str, Any], parent: str) -> Row:
    statement = _text(item["fullStatement"])
    return Row(
        identifier=_text(item["identifier"])[: LIMITS["identifier"]],
        parent=parent,
        code=(_text(item.get("humanCodingScheme")) or _text(item.get("listEnumeration")))[: LIMITS["code"]],
        title=(_text(item.get("abbreviatedStatement")) or statement)[: LIMITS["title"]],
        statement=statement[: LIMITS["statement"]],
        kind=_text(item.get("CFItemType"))[: LIMITS["kind"]],
    )


def from_csv(text: str, *, title: str, label: str = "") -> Outline:
    """Read the plain CSV; raises BadFramework with every bad row."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), skipinitialspace=True)
    names = [str(name).strip().lower() for name in reader.fieldnames or []]
    if "title" not in names:
        raise BadFramework([Problem(_("line 1"), _("The header must name at least the column title."))])
    reader.fieldnames = names
    problems: list[Problem] = []
    drafts: dict[str, tuple[str, dict[str, str]]] = {}
    try:
        for values in reader:
            _take_line(f"{_('line')} {reader.line_num}", values, drafts, problems)
            if len(drafts) > MOST_ELEMENTS:
                raise BadFramework([Problem(_("the file"), _("More than %(most)s rows.") % {"most": MOST_ELEMENTS})])
    except csv.Error as error:
        problems.append(Problem(f"{_('line')} {reader.line_num}", str(error)))
    return _outline_from_lines(title, label, drafts, problems)


def _take_line(
    where: str, values: dict[str, Any], drafts: dict[str, tuple[str, dict[str, str]]], problems: list[Problem]
) -> None:
    cells = {name: _text(values.get(name)) for name in COLUMNS}
    if not any(cells.values()):
        return
    identifier = cells["identifier"] or cells["code"] or cells["title"]
    if None in values:
        problems.append(Problem(where, _("More cells than columns. Put text that has commas in quotes.")))
    elif not cells["title"]:
        problems.append(Problem(where, _("The title is missing.")))
    elif identifier in drafts:
        problems.append(Problem(where, _("%(id)s stands there twice.") % {"id": identifier}))
    else:
        long = [name for name, most in LIMITS.items() if len(cells[name]) > most]
        problems += [Problem(where, _("%(name)s is too long.") % {"name": name}) for name in long]
        drafts[identifier[: LIMITS["identifier"]]] = (where, cells)


def _outline_from_lines(
    title: str, label: str, drafts: dict[str, tuple[str, dict[str, str]]], problems: list[Problem]
) -> Outline:
    by_code = {cells["code"]: identifier for identifier, (_where, cells) in drafts.items() if cells["code"]}
    rows = []
    for identifier, (where, cells) in drafts.items():
        parent = cells["parent"] if cells["parent"] in drafts else by_code.get(cells["parent"], "")
        if cells["parent"] and not parent:
            problems.append(Problem(where, _("No row has the code %(code)s.") % {"code": cells["parent"]}))
        rows.append(Row(identifier, parent, cells["code"], cells["title"], cells["statement"], cells["kind"]))
    if not rows and not problems:
        problems.append(Problem(_("the file"), _("It has no rows.")))
    ordered = _parents_first(rows, {row.identifier: (0, n) for n, row in enumerate(rows)}, problems)
    _refuse(problems)
    return Outline(title.strip()[:200], "", label.strip()[:100], ordered)


def _parents_first(rows: list[Row], order: dict[str, tuple[int, int]], problems: list[Problem]) -> list[Row]:
    """The rows in reading order, each after its parent; rows that are their own ancestor are problems."""
    children: dict[str, list[Row]] = {}
    for row in rows:
        children.setdefault(row.parent, []).append(row)
    for siblings in children.values():
        siblings.sort(key=lambda row: order[row.identifier])
    ordered: list[Row] = []
    waiting = list(reversed(children.get("", [])))
    while waiting:
        row = waiting.pop()
        ordered.append(row)
        waiting.extend(reversed(children.get(row.identifier, [])))
    lost = {row.identifier for row in rows} - {row.identifier for row in ordered}
    problems += [Problem(identifier, _("It stands below itself.")) for identifier in sorted(lost)]
    return ordered


def _refuse(problems: Iterable[Problem]) -> None:
    found = list(problems)
    if found:
        raise BadFramework(found)


def _text(value: Any) -> str:
    return str(value).replace("\x00", "").strip() if isinstance(value, (str, int, float)) else ""
