"""Small numbers stay out of what is kept, so that no page, file or program can show them (trust, rule 11).

What concerns one to four people is left out, together with the smallest group that could be shown, so that it does not follow
from the rest and the whole: the hidden ones together are always at least five people. Zeros speak of nobody and stay.
"""

from __future__ import annotations

from collections.abc import Sequence

SMALLEST = 5


def is_small(people: int) -> bool:
    """Whether these are people, and too few of them."""
    return 0 < people < SMALLEST


def hidden_lines(people: Sequence[int], also: Sequence[bool] = ()) -> list[bool]:
    """Which lines of a list to hide, by how many people stand behind each; `also`: lines hidden for other reasons."""
    hidden = [is_small(count) for count in people]
    hidden = [one or other for one, other in zip(hidden, also, strict=True)] if also else hidden
    shown = [place for place, count in enumerate(people) if count and not hidden[place]]
    if any(hidden) and shown:
        hidden[min(shown, key=lambda place: (people[place], place))] = True
    return hidden


def shown(count: int) -> int | None:
    """A number of people, or nothing if they are too few."""
    return None if is_small(count) else count
