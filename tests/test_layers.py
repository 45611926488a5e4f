"""The direction of the imports, read from the source; what is loaded when; no instrument in the code."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "ifuview"

# Layer -> layers of ifuview that it may import (besides itself). From the house, 2.3.
ALLOWED: dict[str, set[str]] = {
    "__init__": {"app", "gui"},  # lazily, for notebooks
    "__main__": {"cli"},
    "errors": set(),
    "folders": set(),
    "log": {"folders"},
    "resources": set(),
    "exit_codes": set(),
    "overwriting": {"errors"},
    "memory": {"errors"},
    "inputs": {"errors", "overwriting"},
    "files": {"errors", "overwriting"},
    "sets": {"files", "overwriting"},
    "settings": {"errors", "files", "folders", "inputs"},
    "model": {"errors", "context"},
    "instrument": {"model", "resources", "errors", "folders", "inputs"},
    "io": {
        "model", "instrument", "errors", "files", "folders", "inputs", "memory", "overwriting", "resources", "sets",
        "context",
    },
    "engine": {"model", "errors", "context"},
    "context": {"errors"},
    "simulate": {"model", "io", "errors", "files", "context"},
    "recipes": {"engine", "model", "errors", "context"},
    "report": {"model", "resources", "errors", "files", "sets", "context"},
    "app": {
        "model", "instrument", "io", "engine", "context", "simulate", "recipes", "report", "errors",
        "files", "folders", "exit_codes", "sets", "inputs", "memory", "resources", "settings", "log",
    },
    "gui": {"app", "model", "settings", "resources", "log", "errors", "exit_codes", "files", "context"},
    "batch": {"app", "model", "recipes", "report", "errors", "files", "sets", "inputs", "context"},
    "commands": {
        "gui", "app", "batch", "model", "instrument", "io", "engine", "errors", "exit_codes", "files", "overwriting",
        "context", "inputs", "memory",
    },
    "cli": {"commands", "errors", "exit_codes", "memory"},
}  # fmt: skip

# Layer -> roots of foreign packages that it must not import anywhere.
QT = {"PyQt6", "PySide6", "PyQt5", "qtpy", "pyqtgraph"}
FORBIDDEN: dict[str, set[str]] = {
    "model": QT | {"scipy", "astropy", "h5py", "matplotlib", "numba"},
    "instrument": QT | {"matplotlib", "astropy", "numba"},
    "io": QT | {"matplotlib"},
    "engine": QT | {"matplotlib", "astropy", "h5py"},
    "simulate": QT | {"matplotlib"},
    "recipes": QT | {"matplotlib"},
    "report": QT | {"astropy", "h5py", "numba"},
    "app": QT | {"matplotlib", "h5py", "numba"},
    "gui": {"astropy", "h5py", "numba", "matplotlib", "scipy"},
    "cli": QT | {"numpy", "matplotlib", "astropy"},
}
# No knowledge of an instrument here: names, and words that only one of them uses.
COLUMNS = ("frames", "traces", "spectra", "photons", "night")
FREE_OF_INSTRUMENTS = (*(f"app/{column}/views" for column in COLUMNS), "engine", "model", "gui", "report")
INSTRUMENTS = re.compile(r"\b(desi|virus2?|lrs2|lvm|megara|muse|panacea|remedy|desispec|hetdex|mkid|darkness)\b", re.I)
SLOW = {"astropy", "scipy", "pyqtgraph", "h5py", "numba", "matplotlib", "regions", "jinja2"}


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def layer(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "context" if parts == ("engine", "context") else parts[0]


@cache
def imports(path: Path) -> tuple[tuple[int, str], ...]:
    """(line, full name) of every import of a file, also inside functions."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    package = ["ifuview", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield from ((node.lineno, f"{module}.{name.name}") for name in node.names)
        elif isinstance(node, ast.Call) and _name(node.func) == "import_module" and node.args:
            text = node.args[0]
            if isinstance(text, ast.Constant):
                yield node.lineno, str(text.value)


def _name(function: ast.expr) -> str:
    """The last part of the name that is called."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def target_layer(name: str) -> str | None:
    """Layer of an imported name of ifuview, None for the package itself or something foreign."""
    parts = name.split(".")
    if parts[0] != "ifuview" or len(parts) < 2 or parts[1] == "__version__":
        return None
    if parts[1:3] == ["engine", "context"]:
        return "context"
    return parts[1]


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_downwards(path):
    own = layer(path)
    assert own in ALLOWED, f"layer {own} has no line in ALLOWED"
    wrong = []
    for line, name in imports(path):
        other = target_layer(name)
        if other is not None and other != own and other not in ALLOWED[own]:
            wrong.append(f"line {line}: {own} imports {name}")
        if name.split(".")[0] in FORBIDDEN.get(own, ()):
            wrong.append(f"line {line}: {own} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_the_command_line_reaches_the_window_through_gui_app_alone():
    files = sorted((PACKAGE / "commands").rglob("*.py"))
    names = [name for path in files for _, name in imports(path) if name.startswith("ifuview.gui")]
    assert names
    assert all(name.startswith("ifuview.gui.shell.app.") for name in names)


def test_no_circle():
    """Imports, also those inside functions and for type checking only, form no circle between modules."""
    edges = {}
    for path in sources():
        module = ".".join(("ifuview", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        edges[module] = {_module_of(name) for _, name in imports(path) if name.startswith("ifuview")} - {module}
    done: set[str] = set()
    for start in edges:
        _visit(start, edges, (), done)


def _module_of(name: str) -> str:
    """The module that an import of a full name reads."""
    return name if _is_module(name) else name.rpartition(".")[0]


def _is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").exists()


def _visit(module: str, edges: dict[str, set[str]], way: tuple[str, ...], done: set[str]) -> None:
    assert module not in way, "circle: " + " -> ".join((*way[way.index(module) :], module))
    if module not in done:
        for other in edges.get(module, ()):
            _visit(other, edges, (*way, module), done)
        done.add(module)


@pytest.mark.parametrize("folder", FREE_OF_INSTRUMENTS)
def test_no_instrument_is_named(folder):
    found = []
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if INSTRUMENTS.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found, "\n".join(found)


def loaded_by(code: str) -> set[str]:
    """Roots of the modules that a fresh Python has loaded after `code`."""
    text = f"{code}\nimport sys; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_headless_door_loads_no_qt_and_nothing_slow():
    loaded = loaded_by("import ifuview.app.reporting.headless")
    assert not loaded & (QT | SLOW)


def test_a_wish_to_reduce_loads_no_recipe_on_the_thread_of_the_window():
    """Recipes take 0.7 s of CPU to load; the task does it on the worker."""
    code = (
        "from ifuview.app.intents import Reduce, carried_out; from ifuview.app.session import Session\n"
        "from ifuview.errors import UsageError\n"
        "try: carried_out(Session(), Reduce())\n"
        "except UsageError: import ifuview.app.night.reduction.live.trying\n"
        "import ifuview.app.night.reduction.tasks"
    )
    assert not loaded_by(code) & {"numba"}


def test_the_report_loads_no_gui_backend():
    use = "from ifuview.report.page import draw; from ifuview.model.frames.report import ReportInput as R"
    text = f"{use}; draw(R('t', 'now'))\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "matplotlib.figure" in loaded
    assert "matplotlib.pyplot" not in loaded
    backends = {m for m in loaded if m.startswith("matplotlib.backends.backend_")}
    assert backends <= {"matplotlib.backends.backend_agg"}
    assert not {m.split(".")[0] for m in loaded} & QT


def test_nothing_slow_is_loaded_at_the_first_painted_pixel(tmp_path):
    fits = write_fits(tmp_path / "plain.fits")
    listing = tmp_path / "modules.txt"
    env = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "IFUVIEW_EXIT_AFTER_PAINT": str(listing),
        "IFUVIEW_CONFIG": str(tmp_path),
    }
    command = [sys.executable, "-m", "ifuview", "--fresh", "-zscale", str(fits), "-zoom", "to", "fit"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in listing.read_text("utf-8").split()}
    assert "PyQt6" in loaded
    assert not loaded & SLOW


def write_fits(path: Path) -> Path:
    """A small plain FITS image, written by hand."""
    data = np.random.default_rng(1).normal(100, 5, (200, 300)).astype(">f4")
    cards = ["SIMPLE  =                    T", "BITPIX  =                  -32", "NAXIS   =                    2",
             "NAXIS1  =                  300", "NAXIS2  =                  200", "END"]  # fmt: skip
    header = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    body = data.tobytes()
    path.write_bytes(header + body + b"\0" * (-len(body) % 2880))
    return path
