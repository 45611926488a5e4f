"""A night: its exposures, chain, triage."""
