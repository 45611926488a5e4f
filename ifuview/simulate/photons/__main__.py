"""Write a long simulated photon list: `python -m ifuview.simulate.photons OUT.h5 --photons N`."""

from __future__ import annotations

from ifuview.simulate.photons.lists import main

raise SystemExit(main())
