"""A position on the sky in words: degrees, or hours, minutes and seconds."""

from __future__ import annotations

import math

DEGREES, SEXAGESIMAL = "degrees", "sexagesimal"
DIGITS, MOST_DIGITS = 5, 9  # decimals of degrees: 0.04 arcsec at least, more where the pixels are finer
PART = 0.01  # px that the last digit tells apart


def position(ra: float, dec: float, scale: float = 0.0, *, sexagesimal: bool = False) -> str:
    """Right ascension and declination (deg), fine enough for a hundredth of a pixel of `scale` (deg)."""
    digits = DIGITS if scale <= 0 else min(max(DIGITS, math.ceil(-math.log10(PART * scale))), MOST_DIGITS)
    if not sexagesimal:
        return f"{ra:.{digits}f} {dec:+.{digits}f}"
    fine = max(digits - 3, 2)  # decimals of an arcsecond
    sign = "-" if dec < 0 else "+"
    return f"{_parts((ra % 360.0) / 15, fine + 1, 24)} {sign}{_parts(abs(dec), fine)}"


def _parts(value: float, digits: int, around: int = 0) -> str:
    """Hours or degrees, minutes and seconds with `digits` decimals; what is rounded up to 60 is carried on."""
    whole = round(value * 3600 * 10**digits)
    seconds, minutes = whole % (60 * 10**digits), whole // (60 * 10**digits)
    first = minutes // 60 % around if around else minutes // 60
    return f"{first:02d}:{minutes % 60:02d}:{seconds / 10**digits:0{3 + digits}.{digits}f}"
