"""Pages about people, organizations, sections and rosters. What one may not see is not found."""
