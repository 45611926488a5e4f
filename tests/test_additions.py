"""README's table "to add": each addition is made in a copy of the program by writing just what the table says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_layers import write_fits

ROOT = Path(__file__).resolve().parents[1]


class Copy:
    """A copy of the program that may be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("ifuview", "resources"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "config").mkdir()

    def write(self, path: str, text: str) -> None:
        """Add a file."""
        assert not (self.folder / path).exists()
        (self.folder / path).write_text(text, "utf-8")

    def line(self, path: str, after: str, text: str) -> None:
        """Add a line to a table, below the line that ends with `after`."""
        lines = (self.folder / path).read_text("utf-8").splitlines()
        place = next(i for i, line in enumerate(lines) if line.endswith(after))
        (self.folder / path).write_text("\n".join((*lines[: place + 1], text, *lines[place + 1 :], "")), "utf-8")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python there, without a display."""
        env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "IFUVIEW_CONFIG": str(self.folder / "config")}
        command = [sys.executable, "-W", "error", *words]
        done = subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "copy")


def test_an_instrument_is_a_file(copy: Copy):
    text = (
        'name = "new"\ntitle = "New One"\n[match]\nheader = { INSTRUME = ["new one"] }\n[geometry]\nblock = "slitlet"\n'
    )
    copy.write("resources/instruments/new.toml", text)
    code = """
from ifuview.instrument.catalog import instrument, recognize
found = recognize({"INSTRUME": "New One at last"})
print(found, instrument(found).title, instrument(found).block)
"""
    assert copy.run("-c", code).stdout.split() == ["new", "New", "One", "slitlet"]


def test_a_format_that_is_no_fits_is_a_module_and_a_line(copy: Copy, tmp_path: Path):
    copy.write("ifuview/io/products/grid.py", READER)
    copy.line(
        "ifuview/io/__init__.py",
        "CONTENT: tuple[tuple[str, str, str], ...] = (",
        '    ("products.grid", "is_grid", "grid_dataset"),',
    )
    (tmp_path / "new.grid").write_text("GRID\n1 2 3\n4 5 6\n", "utf-8")
    code = "import ifuview, sys; print(ifuview.open_dataset(sys.argv[1]).images[0].canonical().tolist())"
    assert copy.run("-c", code, str(tmp_path / "new.grid")).stdout == "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]\n"
    picture = tmp_path / "grid.png"
    copy.run("-m", "ifuview", "--fresh", str(tmp_path / "new.grid"), "-saveimage", "png", str(picture), "-exit")
    assert picture.stat().st_size > 0


def test_a_dock_is_two_halves_a_help_page_and_a_line(copy: Copy, tmp_path: Path):
    copy.write("ifuview/app/frames/views/shape.py", VIEW)
    copy.write("ifuview/gui/frames/shape.py", WIDGET)
    copy.write("resources/help/shape.md", "# Shape\n\nHow large the image is.\n")
    entry = 'DockEntry("shape", "Shape", "frames.shape:ShapeDock", "frames.shape", "right", beside="quality"),'
    copy.line("ifuview/gui/docks.py", "DOCKS: tuple[DockEntry, ...] = (", f"    {entry}")
    fits = write_fits(tmp_path / "plain.fits")
    assert "shape 300 x 200, tabbed" in copy.run("-c", SHOW, str(fits)).stdout


def test_an_option_is_a_handler_and_a_line(copy: Copy, tmp_path: Path):
    handler = '''

def _half(words: Words, out: Writer) -> None:
    """-half: the limits hold half of the pixels."""
    out.set_look(limit_mode="percentile", percent=50.0, lo=None, hi=None)

'''
    copy.line("ifuview/app/script/look.py", '"elliptic": "gaussian"}', handler)
    copy.line("ifuview/app/script/look.py", "OPTIONS: dict[str, Handler] = {", '    "half": _half,')
    fits = write_fits(tmp_path / "plain.fits")
    picture = tmp_path / "out.png"
    copy.run("-m", "ifuview", "--fresh", "-half", str(fits), "-saveimage", "png", str(picture), "-exit")
    plain = tmp_path / "plain.png"
    copy.run("-m", "ifuview", "--fresh", str(fits), "-saveimage", "png", str(plain), "-exit")
    assert picture.read_bytes() != plain.read_bytes()


def test_a_command_is_a_module_and_a_line(copy: Copy, tmp_path: Path):
    copy.write("ifuview/commands/size.py", COMMAND)
    copy.line("ifuview/commands/table.py", "ROWS = (", '    ("size", "FILE", "Say how large an image is."),')
    fits = write_fits(tmp_path / "plain.fits")
    assert copy.run("-m", "ifuview", "size", str(fits), "--turned").stdout == "200 x 300\n"
    for words in (("--help",), ("man",), ("completion", "bash"), ("completion", "zsh")):
        said = copy.run("-m", "ifuview", *words).stdout.replace("\\-", "-")
        assert "size" in said
        assert ("--turned" in said) == (words != ("--help",))


def test_a_report_format_is_a_module_and_a_line(copy: Copy, tmp_path: Path):
    writer = '''"""The title of a report as text."""

from __future__ import annotations

from pathlib import Path

from ifuview.model.frames.report import ReportInput


def write_text(report: ReportInput, path: Path) -> None:
    """Write it."""
    Path(path).write_text(report.title, "utf-8")
'''
    copy.write("ifuview/report/text.py", writer)
    copy.line("ifuview/report/__init__.py", '".png": "page:write_png",', '    ".txt": "text:write_text",')
    fits = write_fits(tmp_path / "plain.fits")
    copy.run("-m", "ifuview", "report", str(fits), "-o", str(tmp_path / "report.txt"))
    assert "plain" in (tmp_path / "report.txt").read_text("utf-8")


COMMAND = '''"""`ifuview size`: how large an image is."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ifuview.commands.said import Said
from ifuview.engine.context import JobContext


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.add_argument("file", metavar="FILE", help="an image")
    out.add_argument("--turned", action="store_true", help="rows first")


def run(chosen: Namespace, ctx: JobContext) -> Said:
    """Say it."""
    from ifuview.app.opening import open_images

    rows, columns = open_images(chosen.file, ctx=ctx)[0].image.shape
    return Said(f"{rows} x {columns}" if chosen.turned else f"{columns} x {rows}")
'''
READER = '''"""Numbers in rows, below the word GRID."""

from __future__ import annotations

import numpy as np

from ifuview.io.fits.spec import FileSpec
from ifuview.model.dataset import Dataset
from ifuview.model.image import Image, Kind
from ifuview.model.pixels import Pixels


def is_grid(path: str) -> bool:
    """Whether a file begins with GRID."""
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"GRID"
    except OSError:
        return False


def grid_dataset(spec: FileSpec) -> Dataset:
    """One image."""
    image = Image("GRID", Kind.IMAGE, Pixels(np.loadtxt(spec.path, skiprows=1, ndmin=2)))
    return Dataset(spec.path, spec.text, kind="image", images=(image,))
'''
VIEW = '''"""How large the image is."""

from __future__ import annotations

from dataclasses import dataclass

from ifuview.app.session import Session


@dataclass(frozen=True, slots=True)
class ShapeView:
    """Columns and rows."""

    text: str


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    slot = session.slot()
    return () if slot is None else (slot.image,)


def make(session: Session) -> ShapeView | None:
    """The shape of the current image."""
    slot = session.slot()
    return None if slot is None else ShapeView("{1} x {0}".format(*slot.image.pixels.shape))
'''
WIDGET = '''"""Draws views/shape."""

from __future__ import annotations

from PyQt6.QtWidgets import QLabel, QVBoxLayout

from ifuview.app.frames.views.shape import ShapeView
from ifuview.gui.parts.base import Dock


class ShapeDock(Dock):
    """One line of text."""

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel("nothing")
        QVBoxLayout(self).addWidget(self.label)

    def draw(self, view: ShapeView | None) -> None:
        self.label.setText("nothing" if view is None else view.text)
'''
SHOW = """
import os, sys, time
from PyQt6.QtWidgets import QApplication, QDockWidget
from ifuview.app.script.parse import parse
from ifuview.app.script.words import Script, WindowOptions
from ifuview.gui.shell.shell import Shell
app = QApplication([])
parsed = parse([sys.argv[1]])
shell = Shell(WindowOptions(width=1500, height=950, x=0, y=0, fresh=True))
shell.start(Script(parsed.steps, shell.options, parsed.look, parsed.warnings))
dock = shell.window.findChild(QDockWidget, "shape")
shell.window.findChild(QDockWidget, "quality").show()
dock.show(); dock.raise_()
end = time.monotonic() + 60
while time.monotonic() < end:
    app.processEvents()
    time.sleep(0.005)
    widget = dock.widget()
    if widget is not None and widget.label.text() != "nothing":
        break
beside = [other.objectName() for other in shell.window.tabifiedDockWidgets(dock)]
print("shape", widget.label.text() + ",", "tabbed" if "quality" in beside else beside, flush=True)
os._exit(0)
"""
