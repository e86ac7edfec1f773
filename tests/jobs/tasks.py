"""Tasks for the tests of jobs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.db import transaction
from django.tasks import task

from staffroom.jobs.actions import GiveUp, report
from staffroom.people.models import Organization

heard: list[Any] = []


@task
def say(word: str) -> str:
    heard.append(word)
    return word.upper()


@task
def stumble(times: int) -> None:
    """Fail so many times, then work."""
    heard.append("tried")
    if len(heard) <= times:
        raise ConnectionError(f"postgres://admin:hunter2@db/{times} refused")


@task
def give_up() -> None:
    raise GiveUp("This film has no pictures in it.")


@task
def spoil_the_database() -> None:
    Organization.objects.create(name="Half done", kind="school", slug="half-done")
    Organization.objects.create(name="Half done", kind="school", slug="half-done")


@task
def count_to(total: int) -> None:
    for done in range(1, total + 1):
        report(done=done, total=total, message=f"{done} of {total}")


@task
def use_the_context() -> None:
    report(done=1)


@task(takes_context=True)
def with_context(context: Any, word: str) -> str:
    return f"{word} {len(context.task_result.worker_ids)}"


@task
def mark(name: str, folder: str, seconds: float) -> None:
    """Leave one mark, safe to run twice, after a while in which the process may be killed."""
    import time

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        report(message="working")
        time.sleep(0.02)
    with transaction.atomic():
        Organization.objects.get_or_create(slug=name, defaults={"name": name, "kind": "school"})
    with Path(folder, name).open("a") as file:
        file.write(f"{os.getpid()}\n")


@task
def hold_still(seconds: float, folder: str) -> None:
    """A long native call: neither reports nor lets go."""
    import time

    time.sleep(seconds)
    with Path(folder, "held").open("a") as file:
        file.write("x")
