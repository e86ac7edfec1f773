"""Permissions: consent, audiences, retention, and who may. The rules of trust that every room keeps.

Words: *consent* is a student's family's answer about media; a *share* is a loan of one thing to an audience until an end;
a *circle* is a group of colleagues that somebody trusts; *break-glass* is the logged exception that two
administrators make together; an *access* is one opening of somebody's thing, which its owner can see.
Other rooms ask ``queries`` and ``rules`` here and never read another's share by themselves.
"""
