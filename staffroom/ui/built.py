"""What the front-end build left behind: its manifest, and the tags that load an island from it."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

type Version = tuple[str, int]

FOLDER = Path(__file__).resolve().parent / "static" / "ui" / "built"


def is_served_by_vite() -> bool:
    """Whether a developer lets Vite's own server deliver the islands."""
    return bool(getattr(settings, "DJANGO_VITE", {}).get("default", {}).get("dev_mode"))


def manifest() -> dict[str, dict[str, Any]]:
    """Which built file each source became; empty when nothing is built. Read again when the file changes."""
    path, built_at_ns = version()
    return _read(path, built_at_ns) if built_at_ns else {}


def version() -> Version:
    """Which build lies there: its manifest, and when it was written (0: never). It may be built anew under a running server."""
    path = f"{FOLDER}/manifest.json"  # plain text: every icon of a page asks, and a Path costs more than the answer
    try:
        return path, os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return path, 0


@lru_cache(maxsize=1)
def _read(path: str, changed_at_ns: int) -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = json.loads(Path(path).read_text(encoding="utf-8"))
    return entries


def file_for(source: str) -> Path | None:
    """The built file that `source` became, or None when it is not built."""
    entry = manifest().get(source)
    return _in_folder(FOLDER, entry["file"]) if entry else None


@lru_cache(maxsize=64)
def _in_folder(folder: Path, name: str) -> Path:
    return folder / name


def has_island(name: str) -> bool:
    return is_served_by_vite() or f"islands/{name}/index.ts" in manifest()


def island_tags(name: str) -> SafeString:
    """The script and stylesheets of one island; nothing when the front end is not built (the check says so)."""
    return _island_tags(name, version(), is_served_by_vite())


@lru_cache(maxsize=64)
def _island_tags(name: str, version: Version, by_vite: bool) -> SafeString:
    if not has_island(name):
        return SafeString("")
    tags: str = _loader(version).generate_vite_asset(f"islands/{name}/index.ts", "default")
    return mark_safe(tags)  # noqa: S308  (made by django-vite from our own manifest)


@lru_cache(maxsize=1)
def _loader(version: Version) -> Any:
    """django-vite's loader, made anew after each build: a running server would name files that are gone."""
    from django_vite.core.asset_loader import DjangoViteAssetLoader

    DjangoViteAssetLoader._instance = None
    return DjangoViteAssetLoader.instance()
