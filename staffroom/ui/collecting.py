"""How static files are collected: under names that hold their hash, and compressed."""

from __future__ import annotations

from typing import Any

from servestatic.storage import CompressedManifestStaticFilesStorage

BUILT = "ui/built/"


class Collected(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # the library says nothing of its types
    """What Vite has built keeps its name: it holds a hash already, and its scripts import each other by it.

    Under a second name an entry that another imports would be a second module, run twice.
    """

    def hashed_name(self, name: str, content: Any = None, filename: str | None = None) -> str:
        """The name to serve a file under."""
        return name if name.startswith(BUILT) else str(super().hashed_name(name, content, filename))
