"""Small marks in a line of text or a row: chips, avatars, figures, how far something has come."""

from __future__ import annotations

import zlib

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from staffroom.ui.elements import element, join, one_of
from staffroom.ui.icons import icon

MEASURES = {"impact", "replicability", "scalability", "efficiency", "cost"}
TONES = {"", "accent", "good", "warn", "bad"} | MEASURES
HUES = 12


def chip(label: object, *, tone: str = "", icon: str = "", again: bool = False) -> SafeString:
    """A word or two about the state of something. Color never says it alone: the word does. `again`: as for `icon`."""
    one_of("chip", "tone", tone, TONES)
    return element(
        "span", join(_icon(icon, again), element("span", label)), class_=f"chip chip-{tone}" if tone else "chip"
    )


def avatar(name: object, *, size: str = "") -> SafeString:
    """Initials on a hue that follows from the name. Hidden from screen readers: the name stands beside it."""
    one_of("avatar", "size", size, {"", "s", "l"})
    classes = f"avatar avatar-{size}" if size else "avatar"
    return element("span", initials(str(name)), class_=classes, data_hue=hue(str(name)), aria_hidden="true")


def copyable(text: object) -> SafeString:
    """Lines to be taken elsewhere exactly as they are: one click chooses all of them, the button copies them."""
    classes = "copyable copyable-long" if "\n" in str(text) else "copyable"
    copy = element("span", _("Copy"), class_="copyable-before")
    copied = element("span", _("Copied"), class_="copyable-after", role="status")
    button = element(
        "button", join(icon("copy"), copy, copied), type="button", class_="button button-quiet button-s copyable-button",
        data_copies=True,
    )  # fmt: skip
    return element("div", join(element("pre", element("code", text)), button), class_=classes)


def person(name: object, *, href: str = "", size: str = "s") -> SafeString:
    """Somebody: avatar and name, as a link if there is somewhere to go."""
    shown = element("a", name, href=href) if href else element("span", name)
    return element("span", join(avatar(name, size=size), shown), class_="person")


def initials(name: str) -> str:
    """At most two letters: of the first and the last word of a name."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def hue(name: str) -> int:
    """1 to 12; the same name always has the same one."""
    return zlib.crc32(name.encode()) % HUES + 1


def stat(
    label: str, value: object, *, unit: str = "", range: str = "", note: str = "", tone: str = "", measure: str = ""
) -> SafeString:
    """One figure with its name: `range` is its uncertainty in words, `note` a chip below, `measure` one of the five."""
    one_of("stat", "measure", measure, MEASURES | {""})
    figure = join(element("span", value), " ", element("small", unit)) if unit else value
    return element(
        "div",
        join(
            element("span", label, class_="stat-label"),
            element("span", figure, class_="stat-value"),
            element("span", range, class_="stat-range") if range else "",
            chip(note, tone=tone) if note else "",
        ),
        class_="stat",
        data_measure=measure,
    )


def measure(key: str, *, label: str = "") -> SafeString:
    """The name of one of the five measures, with its color before it."""
    one_of("measure", "key", key, MEASURES)
    return element("span", label or measure_names()[key], class_=f"measure measure-{key}")


def measure_names() -> dict[str, str]:
    return {
        "impact": _("Impact"),
        "replicability": _("Replicability"),
        "scalability": _("Scalability"),
        "efficiency": _("Efficiency"),
        "cost": _("Cost"),
    }


def _icon(name: str, again: bool) -> SafeString:
    return icon(name, again=again) if name else SafeString("")
