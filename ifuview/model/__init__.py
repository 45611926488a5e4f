"""Frozen data types: what a reader makes, the engine takes and a view shows. Values only; no files, no Qt."""
