"""Impact: for each activity, who took part, what it cost, what it changed, and how sure that is.

Words: an *estimate* is one computed answer about one activity and one instrument, kept with the hash of what it was computed
from. Everything here reads ledgers (through ``knowing.frames``) and nothing else; what counts as evidence is in ``measure``.
"""
