"""Facts that everyone must follow, said by the kernel's lowest room so that no room need be imported to hear them.

``person_erased(person, receipt)``: remove or anonymize everything held about the person, add counts to the receipt.
``deed_done(by, verb, object, …)``: a deed in a room below ``records``; records appends it to the activity ledger.
"""

from django.dispatch import Signal

person_erased = Signal()
deed_done = Signal()
