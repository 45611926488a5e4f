"""One vocabulary: every word that a user can read, in the window, in reports, in messages and in help."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ifuview.app.desk import Desk
from ifuview.gui.docks import DOCKS
from ifuview.gui.window.menus import ACTIONS, MOUSE
from ifuview.model.frames.units import unit_words

ROOT = Path(__file__).resolve().parents[1]
SPEAKS = ("gui", "app", "report", "commands", "engine", "recipes", "batch", "model")  # folders whose words are read
SHOWN = ("gui", "app", "report")  # there a single word may be a label too, and no key of a file
PAGES = [*sorted((ROOT / "resources" / "help").glob("*.md")), ROOT / "README.md"]

# the word, and what is said in its place
BANNED = {
    r"PASS(ED)?|FAIL(ED)?|Pass|Fail|passes|fails": "wrong, look, clean, judging, not judged",
    r"[Gg]ood|OK": "a verdict from a test that looked, or a fact",
    r"[Ff]ibres?": "fiber",
    r"[Aa]mps?": "amplifier",
    r"[Qq]uadrants?": "amplifier",
    r"[Tt]ramlines?": "trace",
    r"[Ee]vent lists?": "photon list",
    r"[Aa]lerts?": "problem or finding",
    r"[Cc]olours?|[Cc]entres?|[Bb]ehaviours?|[Nn]eighbours?": "American spelling",
}
PATTERN = re.compile("|".join(rf"\b(?:{words})\b" for words in BANNED))
KEYS = {  # not read by anyone: columns and style names of files
    "ifuview/report/night/amplifiers.py": {"amp"},
    "ifuview/report/night/triage.py": {"good"},
}
FREE = {  # English, no verdict
    "ifuview/commands/photons/quicklook.py": {"passes"},
    "README.md": {"good"},  # install it for good
}


def spoken(path: Path) -> Iterator[tuple[int, str]]:
    """Texts of a module, without its docstrings; pieces of f-strings among them."""
    tree = ast.parse(path.read_text("utf-8"))
    told = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr):
                told.add(first.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told:
            yield node.lineno, node.value


def said_of(path: Path, line: int, text: str) -> list[str]:
    """What is wrong with a text."""
    name = str(path.relative_to(ROOT))
    allowed = KEYS.get(name, set()) | FREE.get(name, set())
    found = {m.group() for m in PATTERN.finditer(text)} - allowed
    return [f"{name}:{line}: {word!r} in {text[:80]!r}" for word in sorted(found)]


def test_no_word_of_the_program_is_banned() -> None:
    wrong = []
    for folder in SPEAKS:
        for path in sorted((ROOT / "ifuview" / folder).rglob("*.py")):
            for line, text in spoken(path):
                if folder in SHOWN or re.search(r"\s", text):
                    wrong += said_of(path, line, text)
    assert not wrong, "\n".join(wrong)


ELECTRONS = re.compile(r"^ electrons?\b|\(electrons?\)|\belectrons?/|/ ?electrons?\b")  # behind a number, or of an axis
OF_FILES = {"erg/electron", "electron/Angstrom"}  # units of files


def test_electrons_have_one_sign_as_a_unit() -> None:
    wrong = []
    for folder in ("gui", "app", "report", "recipes", "engine"):
        for path in sorted((ROOT / "ifuview" / folder).rglob("*.py")):
            wrong += [f"{path.name}:{n}: {t!r}" for n, t in spoken(path) if ELECTRONS.search(t) and t not in OF_FILES]
    assert not wrong, "\n".join(wrong)
    assert unit_words("electron") == unit_words("ELECTRONS") == "e" and unit_words("electron^2") == "e\u00b2"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_no_word_of_a_page_is_banned(page: Path) -> None:
    lines = enumerate(page.read_text("utf-8").splitlines(), 1)
    assert not [fault for number, line in lines for fault in said_of(page, number, line)]


def test_menus_panels_and_keys_have_names_of_their_own() -> None:
    """Two actions of one name, or on one key, would be two things in one word."""
    texts = [action.text for action in ACTIONS if not action.menu.startswith(("Photons", "-Photons"))]
    assert len(texts) == len(set(texts))
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
    titles = [entry.title for entry in DOCKS]
    assert len(titles) == len(set(titles)) and not set(titles) & {desk.value for desk in Desk} - {"Photons"}
    assert not [words for _, words in MOUSE if PATTERN.search(words)]


@pytest.mark.parametrize("text", ["Trace: PASS", "a good fiber", "amp A", "the event list", "2 alerts", "fibre 3"])
def test_the_test_would_see_it(text: str) -> None:
    assert PATTERN.search(text)
