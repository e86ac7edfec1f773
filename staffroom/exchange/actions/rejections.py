"""What was refused, noted for the administrator who helps a vendor to get it right."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from staffroom.exchange.models import Rejection
from staffroom.exchange.refusals import Refusal

KEPT = timedelta(days=7)
LONGEST = 2000
MOST_A_TOOL = 1000


def note(*, tool_id: int, request: str, refusal: Refusal) -> None:
    """Keep a refusal. The reason names rules and places, never what was sent."""
    reason = " ".join([refusal.reason, "; ".join(refusal.problems)]).strip()[:LONGEST]
    Rejection.objects.create(
        tool_id=tool_id, request=request[:60], status=refusal.status, reason=reason.replace("\x00", "")
    )


def forget_old() -> int:
    """Remove what is older than a week, and what is more than a thousand for one tool. Returns how many."""
    gone, _each = Rejection.objects.filter(at__lt=timezone.now() - KEPT).delete()
    for tool_id in Rejection.objects.order_by().values_list("tool_id", flat=True).distinct():
        newest = Rejection.objects.filter(tool_id=tool_id).order_by("-at", "-pk")
        edge = newest[MOST_A_TOOL : MOST_A_TOOL + 1].first()
        if edge is not None:
            gone += Rejection.objects.filter(tool_id=tool_id, at__lte=edge.at).delete()[0]
    return gone
