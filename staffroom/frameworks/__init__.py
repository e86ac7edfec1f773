"""Frameworks: competencies and rubrics, versioned, so that a moment tagged in May still means in June what it meant in May.

Words: a *framework* (standards for teaching, a rubric) has *versions*; a version is frozen when published and holds a tree of
*elements*. Imported from CASE JSON or plain CSV; one small framework of our own ships as default.
"""
