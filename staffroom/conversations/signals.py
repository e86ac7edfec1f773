"""``notice_made(notice)``: in the transaction that makes it; the tasks of this room queue the mail in the same one."""

from django.dispatch import Signal

notice_made = Signal()
