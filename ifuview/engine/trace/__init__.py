"""Where the light of a fiber lies: tracing from nothing, and centers measured with their errors."""

from ifuview.engine.trace.flat import trace_flat

__all__ = ["trace_flat"]
