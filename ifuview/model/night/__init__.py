"""Values of a night: its exposures, what the triage found."""
