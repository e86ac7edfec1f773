"""Frameworks describe teaching in general: nothing here is about a person."""

from __future__ import annotations

from staffroom.frameworks.models import Element, Framework, FrameworkVersion
from staffroom.people.personal import impersonal


def declare_all() -> None:
    impersonal(Framework, "a description of teaching that belongs to an organization")
    impersonal(FrameworkVersion, "an edition of such a description")
    impersonal(Element, "one statement of such a description")
