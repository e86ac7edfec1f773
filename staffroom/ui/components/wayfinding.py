"""Where one is: the page in the house, the row in the list, long work on its way."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils.safestring import SafeString


def progress(
    label: str,
    *,
    value: float | None = None,
    max: float = 1,
    note: str = "",
    remaining: str = "",
    tone: str = "",
    poll: str = "",
    every_s: int = 2,
    id: str = "",
) -> SafeString:
    """What is done and what remains. Without `value` it only moves. `poll` is the URL that answers with the next state;
    the last state leaves `poll` out. A reload shows the same."""
    return render_to_string("ui/components/progress.html", locals())


def pagination(*, newer_url: str = "", older_url: str = "", note: str = "", csv_url: str = "") -> SafeString:
    """The way along a long list by its keys, not by page numbers: nothing is skipped when rows arrive."""
    return render_to_string("ui/components/pagination.html", locals())


def page_header(
    title: str, *, lede: str = "", up_url: str = "", up_label: str = "", trail: list[tuple[str, str]] | None = None
) -> SafeString:
    """The page's heading, the way back up (`trail`: label and URL, from the top), and one sentence."""
    steps = trail if trail is not None else ([(up_label, up_url)] if up_url else [])
    return render_to_string("ui/components/page_header.html", {"title": title, "lede": lede, "trail": steps})
