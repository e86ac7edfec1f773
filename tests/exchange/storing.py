"""Another record store, as far as a forwarder can tell: takes batches whole or not at all, knows ids, may refuse and may be away."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from staffroom.exchange.outside import Answer, Unreachable


class Store:
    """What it took, in the order in which it took it. It is called as `outside.post` is."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, dict[str, str], list[dict[str, Any]]]] = []
        self.refuses: Callable[[dict[str, Any]], int] = lambda body: 0
        self.says = 200
        self.is_away = False
        self.knows_ids_by_conflict = False

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        if self.is_away:
            raise Unreachable("Nobody listens there.")
        batch = json.loads(body)
        self.requests.append((url, headers, batch))
        if self.says != 200:
            return Answer(self.says, b"")
        for each in batch:
            if status := self.refuses(each):
                return Answer(status, f"{each['id']} breaks a rule".encode())
            if self.knows_ids_by_conflict and each["id"] in self.taken:
                return Answer(409, b"there already")
        for each in batch:
            self.taken.setdefault(each["id"], each)
        return Answer(200, b"[]")

    @property
    def ids(self) -> list[str]:
        return list(self.taken)

    def by_actor(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key, body in self.taken.items():
            found.setdefault(json.dumps(body["actor"], sort_keys=True), []).append(key)
        return found
