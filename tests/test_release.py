"""What a release rests on: version, dependencies, change log, desktop files."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ifuview.app.outside import desktop
from ifuview.commands.view import view
from ifuview.errors import UsageError

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT, BUILD = PYPROJECT["project"], PYPROJECT["build-system"]["requires"]
# what conda calls otherwise, or what is a part of another package there
CONDA = {"pyqt6": "pyqt", "astropy": "astropy-base", "matplotlib": "matplotlib-base"}
PART_OF = {"pyqt6-qt6"}
REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)\s*(>=[\d.]+)?")


def bounds(requirements: list[str]) -> dict[str, str]:
    """Name in lower case -> lowest version, of requirements in either spelling."""
    found = (REQUIREMENT.match(text.replace(" ", "")) for text in requirements)
    return {m[1].lower(): m[2] or "" for m in found if m}


def test_the_conda_recipe_asks_for_what_pyproject_asks_for():
    yaml = pytest.importorskip("yaml")
    recipe = yaml.safe_load((ROOT / "packaging/conda/recipe.yaml").read_text("utf-8"))
    wanted = {
        CONDA.get(name, name): low for name, low in bounds(PROJECT["dependencies"]).items() if name not in PART_OF
    }
    wanted["python"] = PROJECT["requires-python"]
    assert bounds(recipe["requirements"]["run"]) == wanted
    assert bounds(BUILD).items() <= bounds(recipe["requirements"]["host"]).items()


def test_the_extra_of_releases_has_what_builds_without_isolation():
    assert bounds(BUILD).items() <= bounds(PROJECT["optional-dependencies"]["release"]).items()


def test_files_of_yaml_are_read_by_its_parser():
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "packaging/CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["license"] == PROJECT["license"]
    jobs = yaml.safe_load((ROOT / "packaging/ci-matrix.yml").read_text("utf-8"))["jobs"]
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert jobs["test"]["strategy"]["matrix"]["python"][0] == oldest


def test_news_have_a_kind_that_the_change_log_knows():
    kinds = {
        t["directory"]
        for t in tomllib.loads((ROOT / "packaging/towncrier.toml").read_text())["tool"]["towncrier"]["type"]
    }
    names = [p.name for p in (ROOT / "packaging/news").iterdir() if p.name != "README.md"]
    assert names
    assert [n for n in names if not re.fullmatch(rf"[\w-]+\.({'|'.join(kinds)})\.md", n)] == []


def test_a_checkout_that_was_not_installed_has_a_version(monkeypatch, tmp_path):
    import ifuview

    monkeypatch.setattr("ifuview.resources.path", lambda name: tmp_path / name)
    assert ifuview.__version__ == ifuview.FALLBACK
    (tmp_path / "version.txt").write_text("1.2.3\n")
    assert ifuview.__version__ == "1.2.3"
    assert re.search(rf'fallback_version = "{re.escape(ifuview.FALLBACK)}"', (ROOT / "pyproject.toml").read_text())


def test_the_desktop_knows_the_program(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert view(["--install-desktop", "--user"]) == 0
    written = capsys.readouterr().out.splitlines()
    assert [Path(p).relative_to(tmp_path).as_posix() for p in written] == list(desktop.FILES.values())
    entry = (tmp_path / "applications/ifuview.desktop").read_text("utf-8")
    start = re.search(r"^Exec=(\S+)", entry, re.M)[1]
    assert start == "ifuview" or Path(start).exists()
    types = re.search(r"^MimeType=(.*)$", entry, re.M)[1].split(";")
    given = ET.parse(tmp_path / "mime/packages/ifuview.xml").getroot()
    own = {t.get("type") for t in given.iter("{http://www.freedesktop.org/standards/shared-mime-info}mime-type")}
    assert own <= set(types)
    info = ET.parse(tmp_path / "metainfo/org.example.ifuview.metainfo.xml").getroot()
    assert info.findtext("launchable") == "ifuview.desktop"
    assert {m.text for m in info.iter("mediatype")} <= set(types)
    with pytest.raises(UsageError, match="takes --user"):
        view(["--install-desktop", "nonsense"])


def test_a_desktop_folder_that_can_not_be_written_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "share").write_text("a file")
    monkeypatch.setattr(desktop, "SYSTEM", str(tmp_path / "share"))
    with pytest.raises(UsageError, match="--user"):
        desktop.install(user=False)


def test_the_release_script_says_what_it_can_do():
    done = subprocess.run([sys.executable, ROOT / "packaging/release.py", "nonsense"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "wheel" in done.stdout
