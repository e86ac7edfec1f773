"""What the doors do later: forgetting what was refused long ago."""

from __future__ import annotations

from django.tasks import task

from staffroom.exchange.actions import rejections


@task
def forget_rejections() -> int:
    """Remove refusals older than a week. Safe to run twice."""
    return rejections.forget_old()
