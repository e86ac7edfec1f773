"""The API changes only on purpose: what is served equals tests/promises/openapi.json, which a reviewer reads as a diff."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.test import Client

SNAPSHOT = Path(__file__).with_name("openapi.json")
REFRESH = "If this is meant: REFRESH=1 .venv/bin/pytest -n 0 tests/promises/test_openapi.py, and look at the diff."


def _served(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(client.get("/api/openapi.json").content)
    found["info"].pop("version")
    return found


def test_the_api_is_the_one_that_was_agreed_on(client: Client) -> None:
    served = _served(client)
    if os.environ.get("REFRESH"):
        SNAPSHOT.write_text(json.dumps(served, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    agreed = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    for part in ("paths", "components"):
        found, wanted = served[part], agreed[part]
        assert sorted(found) == sorted(wanted), REFRESH
        assert [name for name in found if found[name] != wanted[name]] == [], REFRESH
    assert served == agreed, REFRESH


def test_every_operation_says_what_it_does(client: Client) -> None:
    silent = [
        f"{method} {path}"
        for path, methods in _served(client)["paths"].items()
        for method, said in methods.items()
        if not said.get("description") and not said.get("summary")
    ]
    assert silent == []
