"""Scripts run against a session without a window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ifuview import open_dataset
from ifuview.commands.run import command
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.simulate.detector import write
from ifuview.simulate.detector.spectra import expose_rss

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def spectra(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("spectra") / "frame-r0-00000001.fits"
    return write.write_rss(path, expose_rss("small", seed=3).frame, write.header("r0", 1))


def script(folder: Path, text: str) -> str:
    (folder / "script.py").write_text(text)
    return str(folder / "script.py")


def test_a_script_selects_looks_and_saves(spectra, tmp_path, capsys):
    path = script(tmp_path, f"""
import sys
from ifuview.app import intents as want
print(frame.title, args, sys.argv[1:], __name__)
viewer.select("3")
print(viewer.session.inspection.fiber, viewer.selection.fibers)
viewer.ask(want.SetOverlay("labels", False))
viewer.save("spectra", {str(tmp_path / "out.ecsv")!r})
""")  # fmt: skip
    assert command("run", [path, str(spectra), "--arg", "one"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "frame-r0-00000001 ['one'] ['one'] __main__"
    assert out[1] == "3 (3,)"
    assert (tmp_path / "out.ecsv").exists()


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [("raise SystemExit(3)", 3, ""), ("1 / 0", 1, "ZeroDivisionError"), ("viewer.select(99)", 1, "script.py:1: "),
     ("from ifuview.app import intents as w; viewer.ask(w.SetTheme('dark'))", 1, "needs a window")],
)  # fmt: skip
def test_its_end_is_that_of_the_command(spectra, tmp_path, capsys, text, code, words):
    assert command("run", [script(tmp_path, text), str(spectra)]) == code
    said = capsys.readouterr().err
    assert words in said
    assert "runpy" not in said


def test_no_script_and_no_files(tmp_path, capsys):
    with pytest.raises(MissingDataError, match="no such script"):
        command("run", [str(tmp_path / "none.py")])
    assert command("run", [script(tmp_path, "print(session, frame)")]) == 0
    assert "0 frames" in capsys.readouterr().out


def test_a_script_among_the_files_is_not_opened(tmp_path):
    with pytest.raises(FileFormatError, match="ifuview run"):
        open_dataset(script(tmp_path, "1"))


def test_a_script_loads_no_qt(tmp_path):
    path = script(tmp_path, "import sys; print('PyQt6' in sys.modules)")
    done = subprocess.run([sys.executable, "-m", "ifuview", "run", path], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
