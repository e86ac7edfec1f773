"""Facts of trust that rooms above must follow at once.

``share_retracted(share)``: the loan is over. ``share_made(share)``. ``consent_changed(student, answer)``.
``glass_broken(break_glass)``: two administrators opened a thing; its owner is to be told.
``ends_soon(person, thing, ends_on)``: a thing is near its end; its owner is to be told.
"""

from django.dispatch import Signal

share_made = Signal()
share_retracted = Signal()
consent_changed = Signal()
glass_asked = Signal()
glass_broken = Signal()
ends_soon = Signal()
