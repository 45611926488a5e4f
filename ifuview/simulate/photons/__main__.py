"""Write a long simulated photon list: `python -m ifuview.simulate.photons OUT.h5 --photons N`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ifuview.model.photons.lists import TICK
from ifuview.simulate.photons.stream import write_big


def main(argv: Sequence[str] | None = None) -> int:
    """Write a long list: `python -m ifuview.simulate.photons OUT.h5 --photons N`."""
    parser = argparse.ArgumentParser(
        prog="python -m ifuview.simulate.photons", description="Write a simulated photon list."
    )
    parser.add_argument("output", metavar="OUT.h5")
    parser.add_argument("--photons", type=int, default=50_000_000, metavar="N")
    parser.add_argument("--duration", type=float, default=300.0, metavar="S", help="s")
    parser.add_argument("--phase", action="store_true", help="phases instead of wavelengths")
    parser.add_argument("--seed", type=int, default=5)
    chosen = parser.parse_args(argv)
    if chosen.photons < 1 or not 0 < chosen.duration < (1 << 32) * TICK:
        parser.error("photons and duration must be above 0, the duration below 4294 s")
    write_big(chosen.output, chosen.photons, duration=chosen.duration, calibrated=not chosen.phase, seed=chosen.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
