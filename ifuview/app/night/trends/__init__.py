"""Numbers of many exposures: read from what triage, batch and reductions have written."""
