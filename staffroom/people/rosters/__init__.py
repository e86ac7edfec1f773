"""Reading rosters: from an archive or a table that somebody else made, to rows that can be believed.

Nothing here touches the database or keeps anything: `archive` opens what arrived, `tables` reads its rows, `oneroster` and
`plain` know the two layouts, and `roster` is what both become. Writing a roster is the action `take_roster`.
"""
