"""What this room tells those above it."""

from django.dispatch import Signal

# A destination has not taken anything for an hour: `destination`.
destination_unreachable = Signal()
