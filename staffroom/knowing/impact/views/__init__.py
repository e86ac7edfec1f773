"""Pages of what works: the portfolio, one activity, and the entries and ingredients behind it."""
