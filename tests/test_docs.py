"""The documentation: the tutorials run, the pages are those of the help, the reference is complete."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

import ifuview
from ifuview.app.night.triage.run import as_json
from ifuview.commands.table import COMMANDS
from ifuview.model.night.triage import Cause, Finding, Fixed, Judged, NotMeasured, TriageResult

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "packaging" / "docs" / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# tutorial-raw and -heads reduce a night: `packaging/release.py check docs` runs them, which takes a minute or two each
@pytest.mark.slow
@pytest.mark.parametrize("name", ["tutorial-qa", "tutorial-traces", "tutorial-photons"])
def test_a_tutorial_runs_and_makes_its_pictures(make, name, tmp_path):
    made = make.tutorial(ROOT / "resources" / "help" / f"{name}.md", tmp_path)
    assert made
    assert all(path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 20_000 for path in made)


@pytest.mark.parametrize("name", ifuview.WHERE)
def test_everything_that_is_public_names_what_it_takes(name):
    found = getattr(ifuview, name)
    text = inspect.getdoc(found)
    taken = [p for p in inspect.signature(found).parameters if p != "self"]
    assert not taken or "Parameters\n----------" in text
    assert [p for p in taken if not re.search(rf"\b{p}\b", text)] == []
    assert " at 0x" not in str(inspect.signature(found))  # else each page of the documentation differs every time


def test_every_page_of_the_help_is_a_page_of_the_documentation(make, tmp_path):
    make.main(tmp_path, pictures=False)
    nav = (tmp_path / "mkdocs.yml").read_text("utf-8")
    for page in (ROOT / "resources" / "help").glob("*.md"):
        assert nav.count(f"help/{page.name}\n") == 1
        assert (tmp_path / "docs" / "help" / page.name).exists()
    python = (tmp_path / "docs" / "reference" / "python.md").read_text("utf-8")
    assert [name for name in ifuview.WHERE if f"## ifuview.{name}\n" not in python] == []
    commands = (tmp_path / "docs" / "reference" / "commands.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"ifuview {name} " not in commands and name != "view"] == []


def test_the_page_of_a_schema_has_its_keys():
    finding = Finding(1, "r0", "ghost", "light", significance=float("inf"), detail={"size": np.float32("nan")})
    result = TriageResult(
        (finding,), (Cause("flat", "not decided", "-"),), (NotMeasured(1, "r0", "ghost", "sky"),),
        (Fixed(finding, "fixed", 0.0, "-"),), ((1, "r0"),), ("-",), ("-",), (Judged(1, "r0", 5),), (("ghost", 1),),
    )  # fmt: skip

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    tree = json.loads(as_json(result), parse_constant=refuse)
    assert tree["findings"][0]["significance"] is None and tree["findings"][0]["detail"] == {"size": None}
    named = set(re.findall(r"`([a-z_]+)`", (ROOT / "resources" / "help" / "triage-schema.md").read_text("utf-8")))
    keys = set(tree) | {key for name in tree for one in tree[name] if isinstance(one, dict) for key in one}
    assert keys - {"ghost"} <= named
