"""Lessons: a teacher sees her own teaching, and lets in whom she trusts.

Words: a *lesson* is a recording that belongs to its teacher alone; a *moment* is a point or range of it with a note; a *clip* is
the one range that she lends to colleagues, by *shares* of ``permissions``; a *sitting* is the time somebody really spent watching.
What coaches do over weeks is left to ``trying.coaching``; what the talk in a lesson was like, to the talk report.
"""
