"""Simulated instruments with known truth: detector frames, row-stacked spectra, traces and their defects.

Everything takes a seed and returns values of `ifuview.model`; `write` and `demo` put them into files. The modules are
imported where they are used, so that the package costs nothing at start:

    from ifuview.simulate.detector import expose
    frame = expose("small", snr=50, seed=3)
"""
