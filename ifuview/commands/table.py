"""The one table of commands. Nothing is imported for it: the start of the window goes past it."""

from __future__ import annotations

from typing import NamedTuple

VIEW = "view"


class Command(NamedTuple):
    """A row: name, what it does in one line, and its module in this package."""

    name: str
    title: str
    module: str


COMMANDS: dict[str, Command] = {
    row[0]: Command(*row)
    for row in (
        (VIEW, "Show files in the window, which is also what happens without a command.", "view"),
        ("report", "One PNG about one fiber: image, fiber, spectrum, verdicts.", "report"),
        ("diagnose", "Which traces are wrong, how, and how sure; report, numbers and corrected traces.", "diagnose"),
        ("triage", "The first bad product of each camera, what kind of defect, how far it reaches.", "triage"),
        ("batch", "Triage, or diagnose the traces of, all cameras of a night with dask.", "batch"),
        ("watch", "Show the exposures of a folder; new files appear when they are whole.", "watch"),
        ("quicklook", "Count the photons of a photon list in an image or a cube.", "photons.quicklook"),
        ("speckle", "Speckle statistics of every pixel of a photon list.", "photons.speckle"),
        ("bin2hdf", "Write the photons of raw packets as a photon table (HDF5).", "photons.bin2hdf"),
        ("wavecal", "Fit the wavelength of every resonator from laser exposures.", "photons.wavecal"),
        ("flatcal", "Find weights that make the array respond evenly.", "photons.flatcal"),
        ("calibrate", "Write a calibrated photon table (HDF5), or undo that.", "photons.calibrate"),
        ("demo", "Simulated data with a short guided tour.", "demo"),
        ("man", "Print the manual page, as for `man -l <(ifuview man)`.", "man"),
        ("completion", "Print the completion of a shell, to be read by it at its start.", "completion"),
    )
}


def split(argv: list[str]) -> tuple[str, list[str]]:
    """The name of the command and its words.

    Raises
    ------
    UsageError
        The first word is neither a command nor a file, and looks like a command that was mistyped.
    """
    if not argv or argv[0].startswith("-"):
        return VIEW, argv
    if argv[0] in COMMANDS:
        return argv[0], argv[1:]
    if argv[0].isalnum():
        _refuse_mistyped(argv[0])
    return VIEW, argv


def _refuse_mistyped(word: str) -> None:
    """Raise UsageError for a word that is no file and nearly a command."""
    import os

    if os.path.exists(word):
        return
    from difflib import get_close_matches

    from ifuview.errors import UsageError

    if near := get_close_matches(word.lower(), COMMANDS, n=1, cutoff=0.7):
        raise UsageError("there is no such command or file", word, f"try ifuview {near[0]}")
