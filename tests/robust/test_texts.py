"""Settings, limits and lists of any content, pipes, names and contents that are no text: a sentence, never an end."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from ifuview import cli, settings
from ifuview.app.preferences import base_look
from ifuview.app.traces.diagnosis_request import read_limits
from ifuview.commands.photons.config import read_config
from ifuview.commands.photons.positions import read_positions
from ifuview.errors import FileFormatError, IfuviewError
from ifuview.gui.plain import PlainLabel, plain
from ifuview.gui.window import window_state
from ifuview.instrument.load import load_instrument
from ifuview.io import open_dataset, read_regions, read_traces
from ifuview.io.photons.raw.beammap_text import read_beammap
from ifuview.io.photons.raw.powersweep import read_powersweeps
from tests.gui.windows import settle, window
from tests.io.fitsbytes import card, header, image, write

GUI = Path(__file__).resolve().parents[2] / "ifuview" / "gui"
ODD = {
    "deep": "a = " + "[" * 100_000,
    "huge": "threads = " + "9" * 10_000,
    "binary": "\0\1\2",
    "superscript": 'limits = "9²"\nblink_ms = 10000000000000\ncmap = "no such"\nrecent = [1, [], "a"]\nthreads = true',
    "nothing": "",
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_settings_of_any_content_are_defaults_and_a_message(tmp_path: Path, content: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(content, encoding="utf-8")
    found, note = settings.load(path)
    assert found.threads == 0 and found.blink_ms == 500 and found.limits == "zscale"
    assert bool(note) and "\n" not in note
    look, problem = base_look(found)
    assert look is None or not problem


@pytest.mark.parametrize(
    "content", ["geometry=@Invalid()", "geometry=12\nstate=\\xff", "\0" * 50, "geometry=@Variant(\\0"]
)
def test_a_layout_of_any_content_does_not_stop_a_start(qtbot: QtBot, tmp_path: Path, monkeypatch, content: str) -> None:
    monkeypatch.setattr(window_state, "default_path", lambda: tmp_path / "settings.toml")
    desk = f"[desk-{window_state.LAYOUT_VERSION}]\nnight=12\n"
    (tmp_path / "window.ini").write_text(f"[General]\n{content}\n{desk}")
    from PyQt6.QtWidgets import QMainWindow

    made = QMainWindow()
    qtbot.addWidget(made)
    assert not window_state.restore_geometry(made)
    assert window_state.desks() == {}


READERS = {
    "limits": read_limits,
    "configuration": read_config,
    "positions": lambda path: read_positions(path, 0.0),
    "instrument": lambda path: load_instrument(Path(path)),
    "regions": read_regions,
    "traces": read_traces,
    "image": open_dataset,
    "beam map": read_beammap,
    "power sweep": lambda path: read_powersweeps([path]),
}


@pytest.fixture(scope="module")
def no_files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What stands where a file is expected and would never end."""
    pipe = tmp_path_factory.mktemp("no files") / "pipe.toml"
    os.mkfifo(pipe)
    return [str(pipe), "/dev/zero", str(pipe.parent)]


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_a_pipe_a_device_or_a_folder_is_refused_at_once(no_files: list[str], reader) -> None:
    for path in no_files:
        with pytest.raises(IfuviewError):
            reader(path)


@pytest.mark.parametrize("name", ["limits", "configuration", "positions", "instrument"])
@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_a_toml_file_of_any_content_is_one_short_sentence(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(content, encoding="utf-8")
    if name == "configuration" and content == ODD["superscript"]:
        return  # is a configuration
    with pytest.raises(IfuviewError) as said:
        READERS[name](str(path))
    assert len(str(said.value)) < 500 + len(str(path))
    assert str(said.value).isprintable()


def test_what_is_quoted_from_damaged_content_is_short_and_in_one_line(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.fits", header([card("SIMPLE", True), card("BITPIX", "\x1b[31m\x07" + "x" * 60), card("NAXIS", 2)])
    )
    with pytest.raises(FileFormatError) as said:
        open_dataset(str(path))
    text = str(said.value)
    assert text.isprintable() and "x" * 81 not in text
    assert len(str(FileFormatError("y" * 10_000 + "\n\r\x1b", "a\nb"))) < 200
    json = tmp_path / "a.json"
    json.write_text('{"fiber_id": ' + "[" * 200_000)
    with pytest.raises(FileFormatError, match="JSON"):
        read_traces(str(json))


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
def test_a_name_that_is_no_text_is_shown_and_logged(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9\xff"
    os.mkdir(folder)
    good, bad = folder + b"/i\xe9.fits", folder + b"/b\xe9.fits"
    with open(good, "wb") as file:
        file.write(image(__import__("numpy").random.default_rng(1).normal(9, 1, (40, 50)).astype("f4")))
    with open(bad, "wb") as file:
        file.write(b"no fits")
    config = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    script = "from ifuview.__main__ import main; main()"

    def run(*words: bytes | str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([sys.executable, "-c", script, *words], capture_output=True, timeout=120, env=config)

    out = folder + b"/p\xe9.png"
    done = run(good, bad, "--fresh", "--log-level", "info", "-saveimage", "png", out, "-exit")
    assert b"Traceback" not in done.stderr and b"Error" not in done.stderr, done.stderr
    assert b"b\\udce9.fits" in done.stderr
    assert os.path.getsize(out) > 100
    done = run("report", good, "-o", folder + b"/r\xe9.png")
    assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize(
    "typed", ["triag", "Triage", "diagnos", "repotr", "wavcal", "reduce-virus", "trriage", "quick-look"]
)
def test_a_mistyped_command_is_suggested(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([typed, "x"]) == 2
    assert "did you mean ifuview " in capsys.readouterr().err


def test_labels_and_tool_tips_of_the_window_never_take_a_text_for_html() -> None:
    wrong = []
    for path in sorted(GUI.rglob("*.py")):
        if path.name == "plain.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Name) and node.id == "QLabel" and isinstance(node.ctx, ast.Load):
                parents = path.read_text("utf-8").splitlines()[node.lineno - 1]
                if "QLabel(" in parents or "(QLabel)" in parents:
                    wrong.append(f"{path}:{node.lineno}")
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setToolTip"
            ):
                continue
            text = node.args[-1]
            made = isinstance(text, ast.Call) and isinstance(text.func, ast.Name) and text.func.id == "plain"
            if not (made or isinstance(text, ast.Constant)):
                wrong.append(f"{path}:{node.lineno}")
    assert wrong == []


def test_a_file_that_holds_html_shows_it_as_it_is(qtbot: QtBot, tmp_path: Path) -> None:
    evil = "<img src=x><b>bold</b>"
    path = tmp_path / "<b>name<b>.fits"
    cards = {"EXTNAME": evil, "BUNIT": evil, "OBJECT": evil}
    write(path, image(__import__("numpy").random.default_rng(1).normal(9, 1, (30, 40)).astype("f4"), **cards))
    assert plain("a < b\nc") == "<p style='white-space:pre-wrap'>a &lt; b\nc</p>"
    with window(qtbot, str(path)) as shell:
        settle(qtbot, shell)
        for label in shell.window.findChildren(PlainLabel):
            assert "<b>" not in label.toolTip() and "<img" not in label.toolTip()
        axes = [
            p.getAxis(side).labelText
            for p in shell.window.findChildren(__import__("pyqtgraph").PlotWidget)
            for side in ("left", "bottom")
        ]
        assert not any("<img" in text for text in axes)
        shell.window.banner.say(f"{path.name}: {evil}")
        assert evil in shell.window.banner.label.text()
        QToolTip.hideText()
