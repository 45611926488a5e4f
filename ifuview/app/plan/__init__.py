"""The trace-diagnostics plan under its names: the same calls, with what really measures each thing.

Arrays are in canonical axes: (cross-dispersion, dispersion), the center of a pixel is an integer. An offset is positive
when the light lies at a larger cross-dispersion pixel than the trace says. Every result keeps the keys of the plan and
adds errors (`_err`); NaN or None means not measured. Traces may come as a TraceSet, as `load_trace_solution` gives
them, or as a dict of dicts ``{"fiber_001": {"x_pixels", "y_pixels", "wavelength", "fiber_id"}}``.
"""
