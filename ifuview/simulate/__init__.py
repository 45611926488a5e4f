"""Simulated instruments with known truth: detector frames, row-stacked spectra, traces and their defects.

Everything takes a seed and returns values of `ifuview.model`; `write` and `demo` put them into files. The modules are
imported where they are used, so that the package costs nothing at start:

    from ifuview.simulate.detector.exposure import expose
    frame = expose("small", snr=50, seed=3)
"""

from __future__ import annotations

from pathlib import Path


def demo(folder: Path | str, seed: int = 7) -> list[Path]:
    """Write the demo files (images, fiberflat, psf, truth.json) into a folder; see `demo_files`."""
    from ifuview.simulate.detector import demo_files

    return demo_files.demo(folder, seed)


def demo_truth(folder: Path | str) -> dict[str, int]:
    """Return the fibers with planted defects of a demo folder, by kind: "dead", "kink", "bump"."""
    from ifuview.simulate.detector import demo_files

    return demo_files.demo_truth(folder)
