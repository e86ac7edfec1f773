"""The deeds of this room: having what works computed."""

from staffroom.knowing.impact.actions.computing import BREATHER, METHOD, compute, compute_all, want

__all__ = ["BREATHER", "METHOD", "compute", "compute_all", "want"]
