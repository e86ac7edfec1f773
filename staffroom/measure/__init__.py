"""The mathematics of what works: arrays in, small frozen dataclasses out.

Everything here is plain Python with NumPy and SciPy. It knows no database, no web, no clock, no file; randomness comes
only from a generator that the caller passes. A teacher takes part or does not for a whole term, so all that concerns
taking part can be had exactly from the moments of teacher x term *cells* (`cells`); nothing here goes back to students.

The door is `answering.answer`. Words: a *result* is one student's score in one term; a *cell* is one teacher in one term;
a *cluster* is a school; a *group* is the set of teachers who first took part in the same term; *event time* counts
terms since then (0 is the first term of taking part).
"""
