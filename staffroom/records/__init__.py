"""Records: the three append-only ledgers, the narrow waist of Staffroom. What happened, what changed, what it cost.

Words: a *statement* (xAPI) says who did what, when, how long, as part of which *activity*; an *outcome* says what was observed of
whom with which *instrument*; a *cost* says which ingredient, how much, at what price. An entry is never changed or removed by the
application: a correction is a new entry that voids the old one. Only erasure and the end of retention take out, leaving a tombstone.
"""
