"""Jobs: work done later. Any room writes a Django task; this room keeps it honest.

Words: a *job* is one piece of later work with its progress; a *lease* is how long a worker may be silent before another
takes its job over; a *schedule* is a job that comes back by itself. Retries wait longer each time and end in a clear failure.
"""
