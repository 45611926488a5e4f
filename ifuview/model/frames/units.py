"""Units as people read them: files spell one unit in many ways, every place of the window and the pages in one."""

from __future__ import annotations

import re
from functools import lru_cache

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
TEN = re.compile(r"(?<![\w.])(?:10 ?(?:\*\*|\^) ?|1(?:\.0*)?[eE])\(?([+-]?\d+)\)?(?![\w.])[ *]*")
POWER = re.compile(r"(?<=[A-Za-zÅ])(?:(?:\*\*|\^) ?\(?([+-]?\d+)\)?|([+-]?\d))(?![\w.])")
ANGSTROM = re.compile(r"\b(?:[Aa]ngstroe?ms?|ANGSTROMS?|Ang|AA)(?![A-Za-z])|(?<=[a-z0-9]/)A(?![A-Za-z])")
ELECTRON = re.compile(r"\belectrons?(?![a-z])", re.IGNORECASE)
SAID = re.compile(r"(?<=\de/)A\b|(?<=\d e/)A\b|(?<=\d )A\b")
SLASH = re.compile(r"\s*/\s*")


@lru_cache(maxsize=256)
def unit_words(unit: str) -> str:
    """A unit of a file, short and with raised exponents: `10**-17 erg/(s cm2 Angstrom)` is `10⁻¹⁷ erg/(s cm² Å)`.

    What is no unit of these spellings stays as it is.
    """
    text = TEN.sub(lambda found: f"10{raised(found[1])} ", unit.strip())
    text = ELECTRON.sub("e", ANGSTROM.sub("Å", text))
    return SLASH.sub("/", POWER.sub(lambda found: raised(found[1] or found[2]), text)).strip()


def sentence(text: str) -> str:
    """A sentence of a text file as the window and the pages write it: `9 e/A at 6352-6879 A` has Å for each A."""
    return SAID.sub("Å", text)


def raised(power: str | int) -> str:
    """A whole exponent as it is written: `⁻¹⁷`."""
    return str(int(power)).translate(RAISED)
