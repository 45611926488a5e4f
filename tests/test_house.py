"""Rules that keep the house as it is: five columns, sizes, one name for a thing, words where they belong.

An exception stands in one of the lists below with its reason; the lists may only shrink.
"""

from __future__ import annotations

import ast
import os
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests import compiling

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "ifuview"
COLUMNS = ("frames", "traces", "spectra", "photons", "night")
MAY_USE = {"spectra": {"traces"}}  # besides `frames` and itself

FILE_LINES, FUNCTION_LINES = 350, 60  # of a function without its docstring
FOLDER_FILES, PANEL_FILES = 15, 24  # of a folder; of `views` and of the panels of a column

# Kernels and tables only: what is compiled reads best in one piece, a table is as long as it is.
LONG_FILES: dict[str, str] = {
    "ifuview.engine.traces.light.kernels": "compiled: the model of all fibers of a column and its normal equations",
    "ifuview.engine.traces.light.measure": "the rounds of that fit and their constants",
}
LONG_FUNCTIONS: dict[str, str] = {
    "ifuview.engine.traces.light.kernels.fit_columns": "compiled",
    "ifuview.engine.traces.measure_flat._refine_tile": "compiled",
}
MOST_EXCEPTIONS = 25
MOST_ANY = 450

# Words of one instrument's products, chain or focal plane, and where they may stand.
PRODUCTS = re.compile(r"\b(cframe|sframe|fiberflat|fluxcalib|petal|preproc|psfnight|redrock)\b", re.I)
MAY_NAME_PRODUCTS = ("instrument/", "io/products/", "io/night/", "recipes/", "simulate/")


@cache
def sources() -> dict[str, Path]:
    """Modules of the package by full name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(("ifuview", *path.relative_to(PACKAGE).with_suffix("").parts))
        found[name.removesuffix(".__init__")] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(sources()[module].read_text("utf-8"))


@cache
def nodes(module: str) -> tuple[ast.AST, ...]:
    """All nodes of a module; to walk its tree takes longer than what is looked for in it."""
    return tuple(ast.walk(tree(module)))


@cache
def imports(module: str) -> frozenset[str]:
    """Modules of the package that a module imports, anywhere in it."""
    found = set()
    for node in nodes(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in sources() else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return frozenset(found & set(sources()) - {module})


@cache
def read(module: str) -> frozenset[str]:
    """Names of attributes that a module reads."""
    return frozenset(n.attr for n in nodes(module) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load))


def column(module: str) -> str | None:
    """The column of a module: the second name below the package, if it is one."""
    parts = module.split(".")
    return parts[2] if len(parts) > 2 and parts[2] in COLUMNS else None


def test_a_column_imports_the_ground_and_itself():
    crossed = []
    for module in sources():
        own = column(module)
        if own is None:
            continue
        allowed = {own, "frames", None} | MAY_USE.get(own, set())
        crossed += [f"{module} -> {other}" for other in sorted(imports(module)) if column(other) not in allowed]
    assert not crossed, "\n".join(crossed)


def test_a_folder_holds_no_more_than_one_reads_at_a_glance():
    count: dict[Path, int] = defaultdict(int)
    for path in sources().values():
        count[path.parent] += path.stem != "__init__"
    panels = {PACKAGE / "gui" / c for c in COLUMNS} | {PACKAGE / "app" / c / "views" for c in COLUMNS}
    full = {str(d.relative_to(ROOT)): n for d, n in count.items() if n > (PANEL_FILES if d in panels else FOLDER_FILES)}
    assert not full


def test_files_and_functions_are_short():
    long_files, long_functions = set(), set()
    for module in sources():
        if len(sources()[module].read_text("utf-8").splitlines()) > FILE_LINES:
            long_files.add(module)
        for node in nodes(module):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _lines(node) > FUNCTION_LINES:
                long_functions.add(f"{module}.{node.name}")
    assert long_files == set(LONG_FILES), "a file grew, or an exception is no longer one"
    assert long_functions == set(LONG_FUNCTIONS), "a function grew, or an exception is no longer one"
    assert len(LONG_FILES) + len(LONG_FUNCTIONS) <= MOST_EXCEPTIONS


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its `def` to its end, without its docstring."""
    first = node.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if told else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def test_a_public_class_name_stands_once():
    where = defaultdict(list)
    for module in sources():
        for node in tree(module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].append(module)
    twice = {name: modules for name, modules in where.items() if len(modules) > 1}
    assert not twice


def test_any_is_rare():
    count = sum(len(re.findall(r"\bAny\b", path.read_text("utf-8"))) for path in sources().values())
    assert count <= MOST_ANY


@pytest.mark.parametrize("name", ["session:Session", "session:Slot"])
def test_state_has_named_types(name):
    module, cls = name.split(":")
    node = next(n for n in tree(f"ifuview.app.{module}").body if isinstance(n, ast.ClassDef) and n.name == cls)
    loose = [ast.unparse(n) for n in node.body if isinstance(n, ast.AnnAssign) and "Any" in ast.unparse(n.annotation)]
    assert not loose


def test_general_code_names_no_product():
    found = []
    for path in sources().values():
        place = str(path.relative_to(PACKAGE))
        if place.startswith(MAY_NAME_PRODUCTS) or "night" in place:
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if PRODUCTS.search(line):
                found.append(f"{place}:{number}: {line.strip()}")
    assert not found, "\n".join(found)


def _read_elsewhere(field: str, leave_out: tuple[str, ...]) -> bool:
    """Whether an attribute of that name is read in a file other than these."""
    return any(field in read(module) for module in sources() if not module.startswith(leave_out))


@pytest.mark.parametrize("cls", ["ifuview.settings:Settings", "ifuview.model.instrument:InstrumentSpec"])
def test_every_setting_is_read(cls):
    from importlib import import_module

    module, name = cls.split(":")
    unread = [
        field
        for field in getattr(import_module(module), name).__annotations__
        if not _read_elsewhere(field, ("ifuview.gui.dialogs", "ifuview.instrument.load"))
    ]
    assert not unread


def test_kernels_compiled_before_a_change_of_any_are_forgotten(tmp_path):
    source, kept = tmp_path / "kernel.py", tmp_path / "__pycache__" / "caller.f-1.py311.1.nbc"
    kept.parent.mkdir()
    for path, when in ((source, 100), (kept, 200), (tmp_path / "window.py", 300)):
        path.write_text("@njit" if path is source else "")
        os.utime(path, (when, when))
    assert compiling.forget_old(tmp_path) == 0  # the window has no kernels
    os.utime(source, (250, 250))
    assert compiling.forget_old(tmp_path) == 1
    assert not kept.exists()
