"""Files: bytes that people bring, from the first one received to the last one erased.

Words: an *upload* is a file still arriving (it may stop and resume for days); a *file* is one that arrived whole and was looked
at; a *derivative* is made from it (web video, poster, storyboard, waveform, sound, clip). Who may see a file is asked of the
room that owns it; nothing here is served without a signature bound to its viewer.
"""
