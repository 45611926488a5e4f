"""Configuration files of photon calibrations: TOML, and the old ones in Python syntax, which are read but never run."""

from __future__ import annotations

import argparse
import ast
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import cast

from ifuview.commands.photons.flat_config import UNKNOWN, flat_options
from ifuview.errors import FileFormatError, UsageError
from ifuview.inputs import read_text, read_toml

MAX_BYTES = 1 << 20
NO_LITERAL = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)  # an expression: it would have to be run
SECTION = re.compile(r"^\s*\[[^\]=,'\"]*\]\s*(#.*)?$")
ALIASES = {  # old key, lower case, to option
    "wvlcalfile": "wavecal", "wavecal": "wavecal", "wvlcal": "wavecal", "wavesol": "wavecal", "wavsolfile": "wavecal",
    "flatcalfile": "flatcal", "flatcal": "flatcal", "fltcalfile": "flatcal", "flatpath": "flatcal",
    "deadtime": "dead_time", "dead_time": "dead_time", "lincal": "lincal", "islinearitycorrected": "lincal",
    "wavelengths": "wavelengths", "file_names": "lasers", "obsfiles": "lasers", "lasers": "lasers",
    "h5directory": "folder", "h5_directory": "folder", "directory": "folder", "bin_width": "bin_width",
    "histogram_bin_width": "bin_width", "dt": "gap_us", "inttime": "chunk", "chunk_time": "chunk",
    "energybinwidth": "width", "power": "power", "outdirectory": "plots", "out_directory": "plots",
    "out": "output", "output": "output",
}  # fmt: skip


def read_config(path: str) -> dict[str, object]:
    """Read a configuration file.

    Returns
    -------
    dict
        Tables by name for TOML; for an old file one table "" of its keys as they stand.

    Raises
    ------
    FileFormatError, MissingDataError
        It is not there, too large, or of neither syntax.
    """
    if os.path.splitext(path)[1].lower() == ".toml":
        return read_toml(path)
    return {"": literals(read_text(path, MAX_BYTES), path)}


def literals(text: str, path: str = "") -> dict[str, object]:
    """Names and values of the assignments of literals in a Python text; nothing else of it counts or is run.

    Raises
    ------
    FileFormatError
        It is no Python.
    """
    out: dict[str, object] = {}
    for names, value in _assignments(text, path):
        with suppress(*NO_LITERAL):
            out.update(dict.fromkeys(names, ast.literal_eval(value)))
    return out


def left_out(path: str) -> tuple[str, ...]:
    """A sentence for each option of an old configuration whose value is an expression, which is never run."""
    if os.path.splitext(path)[1].lower() == ".toml":
        return ()
    with open(path, encoding="utf-8") as file:
        text = file.read(MAX_BYTES)
    out = []
    for names, value in _assignments(text, path):
        known = [name for name in names if name.lower() in ALIASES]
        try:
            ast.literal_eval(value)
        except NO_LITERAL:
            if known:
                what = f"{path}: the value of {known[0]} in line {value.lineno} is no literal"
                out.append(f"{what}: it is left out, and not run.")
    return tuple(out)


def _assignments(text: str, path: str) -> Iterator[tuple[list[str], ast.expr]]:
    """Names and expressions of the assignments of a Python text."""
    lines = ["" if SECTION.match(line) else line for line in text.splitlines()]
    try:
        tree = ast.parse("\n".join(lines) + "\n")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        where = f" (line {problem.lineno})" if isinstance(problem, SyntaxError) else ""
        raise FileFormatError(f"is no configuration in Python syntax{where}", path, "write it as TOML") from problem
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield [target.id for target in node.targets if isinstance(target, ast.Name)], node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield [node.target.id], node.value


def present(found: dict[str, object], table: str, path: str) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return a configuration with the keys of an old one under their present names, and sentences about the rest."""
    if "" not in found:
        return found, ()
    own = cast("dict[str, object]", found[""])
    if table == "flatcal":
        options, why = flat_options(own, path)
    else:
        options, why = old_options(own), {key: UNKNOWN for key in own if key.lower() not in ALIASES}
    reasons = dict.fromkeys(why.values())
    unused = "; ".join(f"{', '.join(k for k, r in why.items() if r == reason)} ({reason})" for reason in reasons)
    return {"": options}, (*left_out(path), *([f"{path}: not used: {unused}."] if unused else []))


def old_options(found: Mapping[str, object]) -> dict[str, object]:
    """Options under their present names; what has no meaning here is left out."""
    out = {ALIASES[key.lower()]: value for key, value in found.items() if key.lower() in ALIASES}
    waves, files, folder = out.pop("wavelengths", None), out.get("lasers"), out.pop("folder", None)
    if isinstance(files, (list, tuple)):
        names = [os.path.join(folder, str(f)) if isinstance(folder, str) else str(f) for f in files]
        if isinstance(waves, (list, tuple)) and len(waves) == len(names):
            names = [f"{float(w):g}={name}" for w, name in zip(waves, names)]
        out["lasers"] = names
    return out


def fill(chosen: argparse.Namespace, found: Mapping[str, object], table: str) -> None:
    """Set options of a command line that were not given to those of a configuration.

    Raises
    ------
    UsageError
        A TOML table has an option that the command does not, or of another type.
    """
    old = "" in found
    own = found.get("", {}) if old else found.get(table, {})
    if not isinstance(own, Mapping):
        raise UsageError(f"[{table}] is no table", str(chosen.config), "write its options below it")
    for key, value in own.items():
        name = key.replace("-", "_")
        if not hasattr(chosen, name):
            if old:
                continue
            known = ", ".join(sorted(k for k in vars(chosen) if k != "config"))
            raise UsageError(f"[{table}] has no option {key!r}", str(chosen.config), f"its options are: {known}")
        if not isinstance(value, (str, bool, int, float, list, tuple)):
            raise UsageError(f"{key!r} is neither number, text nor list", str(chosen.config), "correct it")
        if old and not value:
            continue
        if getattr(chosen, name) in (None, [], ()):
            setattr(chosen, name, list(value) if isinstance(value, tuple) else value)
