"""Conversations: threads, comments, notices and drafts, on anything.

Words: a *thread* hangs on one thing (a moment, a clip) and is made of *comments*; a *notice* tells a person that something waits and
where, never what was written; a *draft* is what somebody has typed in one place and not yet sent. Rooms above say which of their
models can be talked about and who may (``hosts``), and what their notices say (``notices``); they render threads in their own pages.
"""
