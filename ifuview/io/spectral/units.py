"""Units of spectral axes by astropy."""

from __future__ import annotations

import warnings

import numpy as np

from ifuview.model.checks import Array


def si_factor(unit: str, wanted: str) -> float | None:
    """How many `wanted` (a unit of SI) one `unit` is; None where it is none."""
    from astropy import units

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", units.UnitsWarning)
            return float(units.Unit(unit.strip()).to(units.Unit(wanted)))
    except (ValueError, TypeError, units.UnitConversionError):
        return None


def by_equivalence(values: Array, unit: str) -> Array | None:
    """Wavelengths in vacuum, Angstrom, of frequencies, energies or wavenumbers; None of what is none of them."""
    from astropy import units

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", units.UnitsWarning)
            quantity = values * units.Unit(unit.strip())
            return np.asarray(quantity.to_value("Angstrom", equivalencies=units.spectral()))
    except (ValueError, TypeError, units.UnitConversionError):
        return None


def is_other(unit: str) -> bool:
    """Whether a text is a unit that astropy knows, and none of wavelength, frequency, energy or their logarithms."""
    from astropy import units

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", units.UnitsWarning)
            known = units.Unit(unit.strip())
    except (ValueError, TypeError):
        return False
    plain = getattr(known, "physical_unit", known)  # of a logarithm
    return bool(unit.strip()) and not plain.is_equivalent("Angstrom", units.spectral())
