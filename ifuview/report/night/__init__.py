"""Reports of a night: index page, triage."""
