"""Values of the trace doctor: metrics, findings."""
