"""Units and words of photon lists: what is counted, the third column, a cut."""

from __future__ import annotations

from ifuview.model.photons.images import unit_of, value_axis
from ifuview.model.photons.lists import PhotonCut, PhotonInfo

COUNTED, PER_SECOND, SUMMED = "photons", "photons/s", "weighted photons"
UNITS = {"s": "s", "nm": "nm", "deg": "°", "adu": "adu"}


def cut_words(info: PhotonInfo, cut: PhotonCut) -> str:
    """The time and value range of a cut in words; "" for everything."""
    parts = []
    if cut.start is not None or cut.stop is not None:
        start = cut.start or 0.0
        stop = info.duration if cut.stop is None else cut.stop
        digits = 3 if stop - start < 1 else 2
        parts.append(f"{start:.{digits}f}–{stop:.{digits}f} s")
    if cut.low is not None or cut.high is not None:
        unit = value_unit(info)
        if cut.low is None:
            parts.append(f"< {cut.high:g} {unit}")
        elif cut.high is None:
            parts.append(f"> {cut.low:g} {unit}")
        else:
            parts.append(f"{cut.low:g}–{cut.high:g} {unit}")
    if cut.weighted and info.weighted:  # a flat that is off leaves no weights
        parts.append("weighted")
    return ", ".join(parts)


def value_unit(info: PhotonInfo) -> str:
    """Unit of the third column as it is shown."""
    return UNITS[unit_of(info, value_axis(info))]


def value_span(info: PhotonInfo) -> tuple[float, float]:
    """Ends of the slider of the third column: wavelengths a little beyond what is valid, or phases."""
    if info.calibrated:
        low, high = info.wave_range
        margin = 0.15 * (high - low)
        return max(low - margin, 0.0), high + margin
    low, high = info.phase_range
    return low, 0.0 if info.phase_unit == "deg" else high


def plain(value: object) -> str:
    """A number of photons with thin spaces."""
    return f"{value:,.0f}".replace(",", "\u202f")
