"""Reports of the trace doctor."""
