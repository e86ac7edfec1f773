"""Pages of lessons, moments and clips."""
