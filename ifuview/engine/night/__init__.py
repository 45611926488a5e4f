"""Triage of one camera: from the arrays of its products to the first one that is wrong and how."""
