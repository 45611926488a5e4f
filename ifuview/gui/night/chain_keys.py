"""The products that the keys 2 to 8 show, in their order, and what the menu calls them."""

from __future__ import annotations

PRODUCT_NAMES = {
    "preproc": "preproc", "frame": "frame", "flatfielded": "frame / fiberflat", "sky": "sky", "sframe": "sframe",
    "fluxcalib": "fluxcalib", "cframe": "cframe",
}  # fmt: skip
