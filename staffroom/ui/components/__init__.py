"""What pages are made of. Each function is a template tag of the same name (see `templatetags/ui.py`).

A component takes named parameters and refuses all others: how something looks is decided here, once.
"""
