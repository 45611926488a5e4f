"""The products of an observation while they grow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from ifuview.app.night.amplifiers.page import write_quality
from ifuview.app.night.virus.request import ALL, ShotRequest
from ifuview.files import told
from ifuview.model.checks import Array
from ifuview.model.reduction.placed import HeadProducts
from ifuview.model.reduction.quality import AmplifierQuality
from ifuview.model.reduction.solution import CatalogSpectrum, ShotSolution, StarCatalog
from ifuview.recipes.virus.place import focal_mosaic
from ifuview.sets import filled


class ShotOutput:
    """Takes heads as they are done; without a folder it only counts them."""

    def __init__(
        self, request: ShotRequest, catalog: StarCatalog | None, folder: Path | None, stack: ExitStack
    ) -> None:
        from ifuview.io.products.virus.shot import file_name, new_shot_file

        self.names: list[str] = []
        self._request, self._catalog, self._folder = request, catalog, folder
        self._pictures: list[tuple[Array, Array, Array]] = []
        self._stars: list[CatalogSpectrum] = []
        self._file = None
        if folder is not None:
            self.names.append(file_name(request.date, request.observation))
            asked = "" if ALL in request.slots else request.slots[0]
            self._file = stack.enter_context(new_shot_file(str(folder / self.names[0]), asked))

    def add(self, head: HeadProducts) -> None:
        """Write a head."""
        from ifuview.io.products.virus.head_files import picture, write_head

        self._stars += head.done.stars
        if self._file is None or self._folder is None:
            return
        self._file.add(head)
        self.names += write_head(self._folder, head)
        cube, focal = head.done.cube, np.nan_to_num(head.done.spectra.focal)
        if cube is not None:
            self._pictures.append((picture(cube), cube.grid.x + focal[0], cube.grid.y + focal[1]))

    def judge(self, rows: Sequence[AmplifierQuality]) -> None:
        """Write the page about the amplifiers, and their numbers."""
        if self._folder is not None and rows:
            what = f"{self._request.date:08d}_{self._request.observation:07d}"
            self.names += [Path(path).name for path in write_quality(str(self._folder), what, rows)]

    def finish(self, solution: ShotSolution, name: str) -> None:
        """Write what all heads share, and the pictures."""
        from ifuview.report.night.observation import astrometry_figure, field_figure, magnitude_figure, save_picture

        if self._file is None or self._folder is None:
            return
        self._file.finish(solution, name)
        what = f"{self._request.date:08d}_{self._request.observation:07d}"
        figures = {
            f"astrometry_{what}.png": astrometry_figure(f"astrometry {what}", solution.stars, self._catalog),
            f"mag_offset_{what}.png": magnitude_figure(f"magnitudes {what}", tuple(self._stars), solution),
        }
        if self._pictures:
            figures[f"{what}_recon.png"] = field_figure(f"{what} in g", *focal_mosaic(self._pictures))
        for file, figure in figures.items():
            save_picture(figure, self._folder / file)
            self.names.append(file)


@contextmanager
def shot_output(request: ShotRequest, catalog: StarCatalog | None) -> Iterator[ShotOutput]:
    """Where the products go: under temporary names until all are whole."""
    with ExitStack() as stack:
        folder = None
        if request.output:
            stack.enter_context(told(request.output, "the products", "choose another folder"))
            folder = stack.enter_context(filled(request.output))
        with ExitStack() as open_files:
            yield ShotOutput(request, catalog, folder, open_files)
