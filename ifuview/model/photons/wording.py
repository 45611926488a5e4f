"""Numbers with their nouns, as sentences have them."""

from __future__ import annotations


def unknown_resonators(number: int) -> str:
    """Return the sentence about photons that belong to no pixel."""
    return f"{are(number, 'photon')} of {'a resonator' if number == 1 else 'resonators'} that no pixel shows."


def are(number: int, noun: str, plural: str = "") -> str:
    """Return "1 photon is", "2 photons are"."""
    return f"{counted(number, noun, plural)} {was(number)}"


def was(number: int) -> str:
    """Return "is" or "are"."""
    return "is" if number == 1 else "are"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return "1 photon", "2 photons"; `plural` for nouns that do not just take an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"
