"""The demo district "Riverbend": made from a seed, through the same actions and bulk doors as everything else.

``world`` draws the numbers (who teaches whom, who took part when, what students scored) and knows the true effects; ``drawing`` draws a
lesson with picture and sound, and ``filming`` has that done beside; ``placing`` saves the people, ``keeping`` fills the ledgers, and
``building`` puts all of it together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from staffroom.home.demo.filming import Film


def build(*, teachers: int = 420, seed: int = 2, film: Film | None = None, tell: Any = lambda _message: None) -> Any:
    """Build the demo into the database and files of this data folder; see ``building.build``."""
    from staffroom.home.demo import building

    return building.build(teachers=teachers, seed=seed, film=film, tell=tell)
