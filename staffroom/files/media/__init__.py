"""Looking into files and making others from them, apart from Django.

Everything here works on paths and returns plain values, so that it can run in a child process with limits on memory, time and
size (``apart.run``): decoders meet hostile bytes there, and the worker outlives them. What cannot be used raises ``Refused``
with a code; the sentences for people stand in ``staffroom.files.sentences``.
"""
