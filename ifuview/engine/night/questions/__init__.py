"""The questions that the triage asks of a camera, one subject a module."""
