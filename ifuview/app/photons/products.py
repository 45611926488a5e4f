"""Images, cubes, light curves and spectra of photon lists: written, and said in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping

from ifuview.files import check_place, check_suffix, whole_file
from ifuview.model.photons.images import BinAxis, PhotonCube, PhotonImage, value_axis
from ifuview.model.photons.light import BinnedLight

PRODUCT_SUFFIXES = (".fits", ".png")


def check_output(path: str) -> None:
    """Make sure that a product can be written to `path`, before the work is done.

    Raises
    ------
    UsageError
        Unknown suffix, no such folder, or one that cannot be written.
    """
    check_suffix(path, PRODUCT_SUFFIXES, "the output")
    check_place(path)


def save(
    product: PhotonImage | PhotonCube | BinnedLight, path: str, lights: Mapping[str, BinnedLight] | None = None,
    *, positions: Mapping[str, PhotonImage] | None = None,
) -> None:  # fmt: skip
    """Write an image or a cube as FITS or PNG, a light curve or a spectrum as FITS or ECSV, by the suffix.

    The file appears whole or not at all. `lights` are added to an image or a cube: tables in FITS, plots in PNG.
    `positions` are images by name, added to FITS.

    Raises
    ------
    UsageError
        Another suffix, or a place that cannot be written.
    """
    from ifuview.io.photons import products as io

    if isinstance(product, BinnedLight):
        io.write_light(path, product)
        return
    check_output(path)
    if path.lower().endswith(".png"):
        from ifuview.report.photons.pictures import save_png

        with whole_file(path) as part:
            save_png(part, product, lights)
        return
    io.write_product(path, product, lights, positions)


def notes(product: PhotonImage | PhotonCube) -> tuple[str, ...]:
    """Return what the user of an image or a cube should know, one sentence each."""
    made = product.image if isinstance(product, PhotonCube) else product
    info, cut, out = made.info, made.cut, list(made.info.notes)
    names = info.beammap.flag_names
    if names and cut.exclude and not set(cut.exclude) & set(names) and info.beammap.flags.any():
        out.append(f"No flag of the file is one of those to leave out ({', '.join(cut.exclude[:3])}, ...).")
    valid, (low, high) = info.wave_range, cut.bounds()
    if info.calibrated and (low >= valid[1] or high <= valid[0]):
        out.append(f"{low:g} to {high:g} nm is outside what the file is valid for, {valid[0]:g} to {valid[1]:g} nm.")
    if not made.photons:
        out.append("No photon counts: look at the ranges, and at the flags to leave out.")
    return tuple(out)


def summary(product: PhotonImage | PhotonCube) -> dict[str, object]:
    """Return the numbers that `ifuview quicklook --json` prints."""
    made = product.image if isinstance(product, PhotonCube) else product
    by_value = None if made.cut.low is None and made.cut.high is None else [made.cut.low, made.cut.high]
    if isinstance(product, PhotonCube) and product.axis is not BinAxis.TIME:
        by_value = [float(product.edges[0]), float(product.edges[-1])]
    phase = value_axis(made.info) is BinAxis.PHASE
    out: dict[str, object] = {
        "photons": made.photons,
        "start_s": made.start,
        "stop_s": made.stop,
        "wave_nm": None if phase else by_value,
        "pixels_excluded": made.npixel_excluded,
        "counts_total": made.total,
    }
    return out | {"phase_deg": by_value} if phase and by_value else out
