"""What became of a file that arrived. Sent in the transaction that writes it, so what receivers write stands or falls with it.

``file_ready(file)``: it was looked at and can be used. ``file_refused(file)``: it cannot; ``file.refusal`` says why.
``derivative_ready(derivative)``, ``derivative_failed(derivative)``: likewise for what was made from a file.
"""

from django.dispatch import Signal

file_ready = Signal()
file_refused = Signal()
derivative_ready = Signal()
derivative_failed = Signal()
