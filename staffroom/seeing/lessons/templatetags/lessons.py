"""How times and kinds of moments are shown."""

from __future__ import annotations

from django import template

from staffroom.seeing.lessons.clock import clock as clock_text
from staffroom.seeing.lessons.models import Moment

register = template.Library()

KIND_ICONS = {
    Moment.Kind.NOTE: "message-square-text",
    Moment.Kind.QUESTION: "circle-question-mark",
    Moment.Kind.SUGGESTION: "lightbulb",
    Moment.Kind.STRENGTH: "sparkles",
}
KIND_TONES = {
    Moment.Kind.NOTE: "",
    Moment.Kind.QUESTION: "replicability",
    Moment.Kind.SUGGESTION: "efficiency",
    Moment.Kind.STRENGTH: "good",
}


@register.filter
def clock(ms: int | None) -> str:
    """Milliseconds as a clock reads them."""
    return clock_text(ms)


@register.filter
def kind_icon(kind: str) -> str:
    return KIND_ICONS[Moment.Kind(kind)]


@register.filter
def kind_tone(kind: str) -> str:
    return KIND_TONES[Moment.Kind(kind)]
