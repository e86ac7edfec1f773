"""The server, or its database, is killed at random moments while four tools write: what was acknowledged is there, once, in order.

`STAFFROOM_KILLS=60` kills the web server sixty times and PostgreSQL twenty; an ordinary run does with fewer.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.exchange import killing
from tests.exchange.killing import BATCH, Postgres, Site, Tool

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("STAFFROOM_KILLS", "8"))
KILLS_OF_POSTGRES = KILLS // 3 if "STAFFROOM_KILLS" in os.environ else 3
LONGEST_RECOVERY_S = 10


def kill_while_tools_write(
    site: Site, kills: int, kill_and_start: Callable[[], float]
) -> tuple[list[Tool], list[float]]:
    chance, recoveries = random.Random(kills), []
    tools = killing.begin_writing(site)
    for _each in range(kills):
        await_progress(tools)
        time.sleep(chance.uniform(0.05, 0.6))
        recoveries.append(kill_and_start())
    await_progress(tools)
    time.sleep(0.3)
    killing.end_writing(tools)
    return tools, recoveries


def await_progress(tools: list[Tool]) -> None:
    """Let every tool be answered once more, however starved the machine: so each kill meets tools that are at work."""
    before, until = [tool.count for tool in tools], time.monotonic() + 30
    while time.monotonic() < until and not all(
        tool.count > count or tool.wrong for tool, count in zip(tools, before, strict=True)
    ):
        time.sleep(0.02)


def nothing_is_lost(site: Site, tools: list[Tool], recoveries: list[float]) -> None:
    assert not [wrong for tool in tools for wrong in tool.wrong]
    assert all(tool.count > len(recoveries) for tool in tools), "every tool got on between the kills"
    assert sum(tool.again for tool in tools) > 0, "some kills met a tool that waited for its answer"
    there = site.pages("&ascending=true")
    ids = [each["id"] for each in there]
    place = {name: at for at, name in enumerate(ids)}
    assert len(place) == len(ids), "none twice"
    assert [each["stored"] for each in there] == sorted(each["stored"] for each in there), (
        "stored order is the order of paging"
    )
    assert [each["id"] for each in site.pages()] == ids[::-1]
    for tool in tools:
        told = [name for batch in tool.acknowledged for name in batch]
        assert not set(told) - place.keys(), f"{tool.name}: every acknowledged statement is there"
        assert [place[name] for name in told] == sorted(place[name] for name in told), "as they were acknowledged"
        for batch in tool.acknowledged:
            assert place[batch[-1]] - place[batch[0]] == len(batch) - 1, "a batch stands together"
    known = {name for tool in tools for count in range(tool.count) for name in ids_of(tool, count)}
    assert not place.keys() - known, "and nothing that nobody sent"
    documents_are_there(site, tools[3])
    print(
        f"{len(recoveries)} kills: {len(ids)} statements, {len(tools[3].merged)} documents, {sum(t.again for t in tools)} sent again, "
        f"recovered within {max(recoveries):.2f} s"
    )
    assert max(recoveries) < LONGEST_RECOVERY_S


def ids_of(tool: Tool, count: int) -> list[str]:
    size = {killing.one_by_one: 1, killing.in_batches: BATCH}.get(tool.deed, 0)
    return [each["id"] for each in killing.made(tool.name, count, size)]


def documents_are_there(site: Site, tool: Tool) -> None:
    assert json.loads(site.ask("GET", killing.state("place"))[1]) == {"at": tool.count - 1}
    assert json.loads(site.ask("GET", killing.state("badges"))[1]) == dict.fromkeys(tool.merged, True)


def test_a_web_server_killed_again_and_again_loses_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")

    def kill_and_start() -> float:
        site.nursery.kill()
        return site.start()

    try:
        site.start()
        nothing_is_lost(site, *kill_while_tools_write(site, KILLS, kill_and_start))
    finally:
        site.close()


@pytest.mark.postgres
def test_a_postgres_killed_again_and_again_loses_nothing(tmp_path: Path, cluster: Path) -> None:
    postgres = Postgres(cluster)
    if not postgres.is_possible:
        pytest.skip("PostgreSQL's initdb was not found (Debian: apt-get install postgresql)")
    postgres.make()
    site = Site(tmp_path / "data", postgres.url)

    def kill_and_start() -> float:
        postgres.kill()
        time.sleep(0.2)  # so that somebody knocks at a door without a database behind it
        begun = time.monotonic()
        postgres.start()
        site.await_answer()
        return time.monotonic() - begun

    try:
        site.start()
        nothing_is_lost(site, *kill_while_tools_write(site, KILLS_OF_POSTGRES, kill_and_start))
    finally:
        site.close()
        postgres.kill()
