"""Conversations: threads of comments on anything, notices about what waits, and drafts so that nothing typed is lost.

Words: a *thread* hangs on one thing of any room; a *comment* is one turn in it; a *notice* tells a person that something waits
(in the app, and by e-mail without content); a *draft* is what somebody has typed and not yet sent.
Who may read a thread is asked of the room whose thing it hangs on.
"""
