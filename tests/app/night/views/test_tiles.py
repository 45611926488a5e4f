"""Quality of tiles side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

from ifuview.app.night.views import tiles
from ifuview.engine.context import SILENT
from ifuview.model.night.exposures import ProductFile, TileFile

NFIBER = 60


def write(folder: Path, tile: int, odd: slice) -> TileFile:
    """The file of a tile, in which some fibers have another redshift."""
    z = np.full(NFIBER, 0.8)
    z[odd] = 4.3
    columns = {"TARGETID": np.arange(NFIBER), "FIBER": 3000 + np.arange(NFIBER), "Z": z, "EFFTIME_SPEC": z * 0 + 1000.0}
    table = fits.BinTableHDU.from_columns(
        [fits.Column(n, "D" if v.dtype.kind == "f" else "K", array=v) for n, v in columns.items()], name="FIBERQA"
    )
    path = folder / f"tile-qa-{tile}-thru20211014.fits"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return TileFile(tile, "tile-qa", None, "thru20211014", ProductFile(str(path)))


def test_a_pile_of_redshifts_stands_out_in_one_tile_on_one_scale(tmp_path: Path) -> None:
    files = write(tmp_path, 7951, slice(20, 30)), write(tmp_path, 1298, slice(0, 0))
    gone = TileFile(9, "tile-qa", None, "thru20211014", ProductFile(str(tmp_path / "none.fits")))
    rows = tiles.figures((*files, gone), SILENT)
    assert [row[0].y.label for row in rows] == ["Z", "EFFTIME_SPEC"]  # no positions in these files
    odd, usual, lost = rows[0]
    assert odd.y.range == usual.y.range and odd.y.range[0] < 0.8 < 4.3 < odd.y.range[1]
    high = odd.curves[0].x[odd.curves[0].y > 4]
    assert high.tolist() == list(range(3020, 3030)) and not (usual.curves[0].y > 4).any()
    assert lost.title == "Tile 9 cannot be read" and not lost.curves
