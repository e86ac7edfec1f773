"""People: who there is, where they belong, and how they come in.

Words: a *person* may have an account or (like every student) none; an *organization* is a node of one tree
(state, district, school, team); a *membership* gives a person a role there for a time; a *section* is a class of
a course taught in terms, and an *enrollment* puts a person in it. A *roster* is the file set from which all of
these arrive. What people may do with each other's things is not decided here but in ``permissions``.
"""
