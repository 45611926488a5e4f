"""Triage of exposures: which product is the first bad one, what kind of defect, how far it reaches."""
