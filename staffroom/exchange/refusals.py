"""What the doors say no with: a status, a reason in words, and each problem with its place."""

from __future__ import annotations

from collections.abc import Iterable


class Refusal(Exception):
    """A request that is not done. Nothing has changed."""

    def __init__(
        self,
        status: int,
        reason: str,
        problems: Iterable[str] = (),
        *,
        headers: dict[str, str] | None = None,
        is_worth_telling: bool = True,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.problems = list(problems)
        self.headers = headers or {}
        self.is_worth_telling = is_worth_telling and status not in (401, 404, 405)
