"""Months of the activity ledger that are no longer kept entry by entry: which, and since when the ledger is whole.

A month is first *closed*: from then on no entry stored in it is voided or given to somebody, so that what the lake keeps of it stays true.
Then it is *gone*: its entries are in the lake alone. `actions.retiring` does both; the option `ledger_months` says when.
"""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import Max
from django.utils import timezone

from staffroom.records import months


class RetiredMonth(models.Model):
    """A month of the activity ledger, by when its entries were stored, that is closed or gone.

    `files`: what the lake keeps of it, one file for each month in which its entries happened: month, name in the storage, rows, hash.
    """

    month = models.DateField(unique=True)
    closed_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True, blank=True)
    entries = models.PositiveBigIntegerField(default=0)
    files = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["month"]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


def kept_since() -> date | None:
    """The first month of which every entry is kept; None where the ledger was never shortened."""
    last = RetiredMonth.objects.aggregate(last=Max("month"))["last"]
    return None if last is None else months.later(last)


def first_open_number() -> int:
    """The number from which on entries may still be voided and given to somebody."""
    since = kept_since()
    return 0 if since is None else months.range_of(since)[0]
