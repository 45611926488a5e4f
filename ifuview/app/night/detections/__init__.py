"""Sources found blindly in an observation: one after the other looked at and judged by a person."""
