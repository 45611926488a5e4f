"""Views of a night and its triage."""
