"""What can be pressed: buttons, links that look like buttons, moments in a recording."""

from __future__ import annotations

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from staffroom.ui.elements import element, join, one_of
from staffroom.ui.icons import icon

KINDS = {"main", "plain", "quiet", "danger"}


def button(
    label: str,
    *,
    kind: str = "plain",
    type: str = "submit",
    icon: str = "",
    icon_only: bool = False,
    size: str = "",
    wide: bool = False,
    id: str = "",
    name: str = "",
    value: object = "",
    form: str = "",
    opens: str = "",
    closes: bool = False,
    confirm: str = "",
    disabled: bool = False,
) -> SafeString:
    """A button. `opens` names a dialog, `closes` closes the dialog around it, `confirm` asks before submitting."""
    content, spoken = _content(label, icon, icon_only)
    return element(
        "button",
        content,
        class_=_classes("button", kind, size, icon_only, wide),
        type="button" if opens or closes else one_of("button", "type", type, {"submit", "button", "reset"}),
        id=id,
        name=name,
        value=str(value),
        form=form,
        command="show-modal" if opens else "",
        commandfor=opens,
        data_opens=opens,
        data_closes=closes,
        data_confirm=confirm,
        disabled=disabled,
        aria_label=spoken,
    )


def link_button(
    label: str,
    href: str,
    *,
    kind: str = "plain",
    icon: str = "",
    icon_only: bool = False,
    size: str = "",
    wide: bool = False,
    opens: str = "",
    download: bool = False,
) -> SafeString:
    """A link that looks like a button. With `opens` it shows that dialog; without JavaScript it leads to `href`."""
    content, spoken = _content(label, icon, icon_only)
    return element(
        "a",
        content,
        class_=_classes("link_button", kind, size, icon_only, wide),
        href=str(href),
        data_opens=opens,
        download=download,
        aria_label=spoken,
    )


def time_button(seconds: float, *, href: str = "") -> SafeString:
    """A moment in a recording as minutes and seconds. Islands listen to `data-seconds`; `href` works without them."""
    clock, whole = clock_time(seconds), int(seconds)
    spoken = _("Go to %(time)s") % {"time": clock}
    if href:
        return element("a", clock, class_="time", href=href, data_seconds=whole, aria_label=spoken)
    return element("button", clock, class_="time", type="button", data_seconds=whole, aria_label=spoken)


def clock_time(seconds: float) -> str:
    """Seconds as a clock reads them: 131 is 2:11, 3731 is 1:02:11."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _content(label: str, icon_name: str, icon_only: bool) -> tuple[SafeString, str]:
    if icon_only:
        return icon(icon_name), label
    return join(icon(icon_name) if icon_name else "", element("span", label)), ""


def _classes(component: str, kind: str, size: str, icon_only: bool, wide: bool) -> str:
    one_of(component, "kind", kind, KINDS)
    one_of(component, "size", size, {"", "s"})
    wanted = ["button", f"button-{kind}", size and "button-s", icon_only and "button-icon", wide and "button-wide"]
    return " ".join(word for word in wanted if word)
