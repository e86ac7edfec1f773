"""What holds other content. Each is a block tag: `{% card … %}content{% endcard %}`; the content comes first here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.template.loader import render_to_string
from django.utils.formats import localize
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from staffroom.ui.elements import element, one_of

MESSAGE_ICONS = {"": "info", "good": "circle-check", "warn": "triangle-alert", "bad": "circle-alert"}


def card(
    content: str,
    *,
    title: str = "",
    href: str = "",
    eyebrow: str = "",
    eyebrow_icon: str = "",
    note: str = "",
    tone: str = "",
    kind: str = "",
    foot: str = "",
    level: int = 2,
) -> SafeString:
    """A thing that can be picked up. `kind="lead"` is the next step, once on a page. No card stands in a card."""
    one_of("card", "kind", kind, {"", "lead"})
    one_of("card", "level", str(level), {"2", "3", "4"})
    return _render("card", locals())


def section(
    content: str, *, title: str, id: str = "", href: str = "", href_label: str = "", lede: str = ""
) -> SafeString:
    """A part of a page with a heading, set apart by space. `href` leads to all of it."""
    return _render("section", locals())


def table_region(content: str, *, label: str) -> SafeString:
    """Room for a table that scrolls sideways on a phone, by keyboard too."""
    return element("div", SafeString(content), class_="table-region", role="region", aria_label=label, tabindex="0")


def empty_state(content: str, *, title: str, text: str, icon: str = "") -> SafeString:
    """Nothing here yet: `text` says what will be here, the content is the first step."""
    return _render("empty_state", {**locals(), "content": content.strip()})


def dialog(content: str, *, id: str, title: str) -> SafeString:
    """A native dialog; a button with `opens` shows it."""
    return _render("dialog", locals())


def menu(content: str, *, label: str, icon: str = "ellipsis", icon_only: bool = True) -> SafeString:
    """Further actions behind one button; the content is `<ul>` with `class="menu-item"`. Needs no JavaScript."""
    return _render("menu", locals())


def note(content: str, *, tone: str = "", title: str = "") -> SafeString:
    """A remark in the page: what to know before going on."""
    return _render("note", {**locals(), "icon_name": MESSAGE_ICONS[one_of("note", "tone", tone, MESSAGE_ICONS)]})


def figure(
    content: str,
    *,
    title: str,
    text: str,
    columns: Sequence[object] = (),
    rows: Iterable[Sequence[object]] = (),
    table_caption: str = "",
    records_url: str = "",
    csv_url: str = "",
    files: Sequence[tuple[str, str]] = (),
    level: int = 2,
) -> SafeString:
    """A drawing (an `<svg aria-hidden="true">`), what it says in words, the table behind it, the records it came from.

    `files`: further downloads, (name, address), such as the drawing itself.
    """
    one_of("figure", "level", str(level), {"2", "3", "4"})
    return _render("figure", {**locals(), "rows": _rows(rows)})


def _rows(rows: Iterable[Sequence[object]]) -> SafeString:
    """The rows of a table, the first cell of each its heading; hundreds of cells are too many for the template language."""
    lines = (
        "".join(
            f'<td class="num">{conditional_escape(str(localize(cell)))}</td>' if place
            else f'<th scope="row">{conditional_escape(str(localize(cell)))}</th>'
            for place, cell in enumerate(row)
        )
        for row in rows
    )  # fmt: skip
    return mark_safe("".join(f"<tr>{line}</tr>" for line in lines))  # noqa: S308 - every cell is escaped above


def tabs(content: str, *, label: str) -> SafeString:
    """Links between views of one thing; the content is `{% tab %}`s."""
    return element("nav", element("ul", SafeString(content)), class_="tabs", aria_label=label)


def tab(label: str, href: str, *, current: bool = False, count: int | None = None) -> SafeString:
    """One of the `{% tabs %}`; `count` is how many wait there, of which none is not told."""
    number = "" if not count else element("span", count, class_="tab-count")
    link = element("a", SafeString(f"{element('span', label)}{number}"), href=href, aria_current=current and "page")
    return element("li", link)


def _render(component: str, parameters: dict[str, object]) -> SafeString:
    content = SafeString(str(parameters["content"]))
    return render_to_string(f"ui/components/{component}.html", {**parameters, "content": content})
