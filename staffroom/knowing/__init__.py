"""KNOW: what works, for whom, how surely and at what cost, read from the three ledgers alone."""
