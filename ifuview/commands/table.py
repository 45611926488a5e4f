"""The one table of commands. Nothing is imported for it: the start of the window goes past it."""

from __future__ import annotations

from typing import NamedTuple

VIEW = "view"


class Command(NamedTuple):
    """A row: module in this package, whose last part is the name where none is said; words that it needs; what it does
    in one line; a name of two words for one of several things that a command does.
    """

    module: str
    words: str
    title: str
    name: str = ""


ROWS = (
    ("view", "FILE...", "Show files in the window, which is also what happens without a command."),
    ("report", "FILE... -o REPORT.png", "One PNG about one fiber: image, fiber, spectrum, verdicts."),
    ("diagnose", "IMAGE... -o DIR", "Which traces are wrong, how, and how sure; corrected traces."),
    ("triage", "PATH... -o DIR", "The first bad product of each camera, what defect, how far it reaches."),
    ("batch", "triage|diagnose|reduce NIGHT_DIR... -o DIR", "Any of them for all cameras of a night, with dask."),
    ("reductions.reduce", "lrs2 -d DATE|FILE... -O DIR", "Raw exposures to spectra, sky, source and cube."),
    (
        "reductions.virus",
        "DATE OBS IFUSLOT|all CALS.h5",
        "An observation of VIRUS to spectra, stars, detections and cubes.",
        "reduce virus",
    ),
    (
        "reductions.virus_cal",
        "OUT.h5 -r ROOT -sd START -dl DAYS",
        "Calibrations of VIRUS out of raw nights.",
        "reduce virus-cal",
    ),
    (
        "reductions.combine",
        "PATH... -O DIR",
        "All channels and exposures of a target of LRS2 as one spectrum and cube.",
    ),
    ("health", "PATH...", "Which amplifiers of raw exposures can be used, before anything is reduced."),
    (
        "night.cutout",
        "PRODUCTION --fiber N --wave W -o PAGE.png",
        "The same fiber and wavelength in every exposure and product of a tile.",
    ),
    ("watch", "DIR", "Show the exposures of a folder; new files appear when they are whole."),
    ("photons.quicklook", "FILE -o OUT.fits", "Count the photons of a photon list in an image or a cube."),
    ("photons.speckle", "FILE -o MAPS.fits", "Speckle statistics of every pixel of a photon list."),
    ("photons.bin2hdf", "BIN_DIR --beammap F -o OUT.h5", "Write the photons of raw packets as a photon table."),
    ("photons.wavecal", "LASER... -o SOL.h5", "Fit the wavelength of every resonator from laser exposures."),
    ("photons.flatcal", "FILE... -o SOL.h5", "Find weights that make the array respond evenly."),
    ("photons.calibrate", "FILE --wavecal S -o NEW.h5", "Write a calibrated photon table, or undo that."),
    ("running", "SCRIPT.py [FILE...]", "Run a Python script against a session without a window.", "run"),
    ("instruments", "[FILE.toml...]", "Which instruments and readers are known; check a file that one writes."),
    ("demo", "", "Simulated data with a short guided tour."),
    ("man", "", "Print the manual page."),
    ("completion", "bash|zsh|fish", "Print what a shell needs to complete commands and options."),
)
COMMANDS: dict[str, Command] = {
    row.name or row.module.rpartition(".")[2]: row for row in (Command(*row) for row in ROWS)
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
    if " ".join(argv[:2]) in COMMANDS and len(argv) > 1:
        return " ".join(argv[:2]), argv[2:]
    if argv[0] in COMMANDS:
        return argv[0], argv[1:]
    if argv[0].replace("-", "").isalnum():
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
        raise UsageError("there is no such command or file", word, f"did you mean ifuview {near[0]}?")
