"""Whoever adds a module to an extensible folder adds its line to the table there."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from ifuview.gui.docks import DOCKS
from ifuview.report import WRITERS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "ifuview"
HELP_TOPICS = {
    "batch",
    "doctor",
    "first-steps",
    "canvas",
    "command-line",
    "files",
    "traces",
    "report",
    "demo",
    "instruments",
    "metrics-schema",
    "triage-schema",
    "other-tools",
    "tutorial-photons",
    "tutorial-raw",
    "tutorial-heads",
    "tutorial-qa",
    "tutorial-traces",
}


def modules(folder: str) -> set[str]:
    return {p.stem for p in (PACKAGE / folder).glob("*.py")} - {"__init__"}


def modules_below(folder: str) -> set[str]:
    """Modules of a folder and of the folders in it, with dots."""
    paths = [p.relative_to(PACKAGE / folder) for p in (PACKAGE / folder).rglob("*.py")]
    return {".".join(p.with_suffix("").parts) for p in paths if p.stem != "__init__"}


def defines(folder: str, module: str, word: str) -> bool:
    """Whether a module has `word = ...` at its top, found without importing it."""
    import ast

    tree = ast.parse((PACKAGE / folder / f"{module.replace('.', '/')}.py").read_text("utf-8"))
    names = [t for n in tree.body if isinstance(n, (ast.Assign, ast.AnnAssign)) for t in ast.walk(n)]
    return any(isinstance(t, ast.Name) and isinstance(t.ctx, ast.Store) and t.id == word for t in names)


def test_every_reader_is_in_its_table():
    from ifuview.io import READERS

    with_reader = {m for m in modules_below("io") if defines("io", m, "READER")}
    assert with_reader == {module for module, _ in READERS}


def test_every_dock_is_in_its_table():
    listed = {entry.widget.split(":")[0] for entry in DOCKS}
    assert {m for m in modules_below("gui") if _has_dock(m)} <= listed


def _has_dock(module: str) -> bool:
    """Whether a module of gui defines a Dock."""
    import ast

    tree = ast.parse((PACKAGE / "gui" / f"{module.replace('.', '/')}.py").read_text("utf-8"))
    return any(isinstance(n, ast.ClassDef) and "Dock" in {ast.unparse(b) for b in n.bases} for n in tree.body)


@pytest.mark.parametrize("entry", DOCKS, ids=lambda e: e.key)
def test_a_dock_has_both_halves_and_a_help_page(entry):
    assert entry.widget.split(".")[0] == entry.view.split(".")[0]
    assert isinstance(entry.drawn(), type)
    assert callable(entry.pure().make)
    assert callable(entry.pure().inputs)
    assert (ROOT / "resources" / "help" / f"{entry.key}.md").is_file()


def test_help_pages_begin_with_a_title_and_none_is_left_over():
    pages = list((ROOT / "resources" / "help").glob("*.md"))
    assert {p.stem for p in pages} == {entry.key for entry in DOCKS} | HELP_TOPICS
    assert all(p.read_text("utf-8").startswith("# ") for p in pages)


def test_every_report_writer_is_in_its_table():
    from ifuview.report.traces import doctor

    listed = {entry.split(":")[0] for entry in (*WRITERS.values(), *doctor.WRITERS.values())}
    for entry in (*doctor.WRITERS.values(), *(figure.draw for figure in doctor.FIGURES)):
        module, function = entry.split(":")
        assert callable(getattr(import_module(f"ifuview.report.{module}"), function))
    for suffix, entry in WRITERS.items():
        module, function = entry.split(":")
        assert suffix.startswith(".")
        assert callable(getattr(import_module(f"ifuview.report.{module}"), function))
    below = modules_below("report")
    writers = {
        m for m in below if "def write_" in (PACKAGE / "report" / f"{m.replace('.', '/')}.py").read_text("utf-8")
    }
    assert writers - {"traces.doctor"} == listed


def test_every_instrument_file_is_in_the_catalog():
    from ifuview.instrument.catalog import names

    files = {p.stem for p in (ROOT / "resources" / "instruments").glob("*.toml")}
    assert files == set(names())
    for name in files:
        tomllib.loads((ROOT / "resources" / "instruments" / f"{name}.toml").read_text("utf-8"))


def test_every_option_module_is_in_the_table():
    from ifuview.app.script.options import OPTIONS

    count = 0
    for name in modules("app/script") - {"common", "ignored", "options", "parse", "words"}:
        count += len(import_module(f"ifuview.app.script.{name}").OPTIONS)
    assert count == len(OPTIONS), "two modules have the same option, or one is not listed"


def test_every_action_on_the_tool_bar_has_an_icon():
    from ifuview.gui.shell.main_window import TOOLBAR

    missing = [n for n in TOOLBAR if not (ROOT / "resources" / "icons" / f"{n}.svg").exists()]
    assert not missing


def test_every_verb_of_a_script_is_carried_out():
    from ifuview.app.script.words import VERBS
    from ifuview.gui.shell.script_runner import ScriptRunner

    missing = [verb for verb in VERBS if not hasattr(ScriptRunner, f"do_{verb.replace('-', '_')}")]
    assert not missing


def test_every_intent_is_in_exactly_one_table():
    from ifuview.app import intents

    every = {v for v in vars(intents).values() if isinstance(v, type) and issubclass(v, intents.Intent)}
    listed = list(intents.TABLE) + list(intents.WINDOW)
    assert len(listed) == len(set(listed)), "an intent is in two tables"
    assert set(listed) == every - {intents.Intent}
    for column in ("frames", "traces", "spectra", "photons", "night"):
        own = vars(import_module(f"ifuview.app.{column}.intents")).values()
        assert {v for v in own if isinstance(v, type) and issubclass(v, intents.Intent)} <= every


def test_an_intent_that_no_table_has_is_an_error():
    from ifuview.app.intents import Intent, carried_out
    from ifuview.app.session import Session

    class Unknown(Intent):
        """Nobody carries it out."""

    with pytest.raises(LookupError, match="Unknown"):
        carried_out(Session(), Unknown())
