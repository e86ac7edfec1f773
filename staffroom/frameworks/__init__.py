"""Frameworks: descriptions of good teaching that people tag moments and lessons with.

Words: a *framework* belongs to an organization, or to everyone; a *version* is frozen when it is published, so that a tag means for
ever what it meant then; an *element* is one statement of a version. They arrive as CASE JSON (1EdTech) or as a plain CSV.
"""
