"""Exit codes, the choice of the platform and the words of the command line."""

from __future__ import annotations

import signal
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest

import ifuview
from ifuview import cli
from ifuview.errors import FileFormatError
from ifuview.exit_codes import INTERRUPTED, endings


@pytest.fixture
def stub(monkeypatch):
    """Stand-ins for the window and the services that remember how they were called."""
    calls: dict[str, object] = {}

    def run(script):
        calls["script"] = script
        return 0

    def run_demo(folder):
        calls["demo"] = folder
        return 0

    def report(*args, **named):
        calls["report"] = (*args, named)

    monkeypatch.setitem(sys.modules, "ifuview.gui.shell.app", SimpleNamespace(run=run, run_demo=run_demo))
    monkeypatch.setitem(sys.modules, "ifuview.app.reporting.headless", SimpleNamespace(report=report))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    return calls


def test_version_and_help_need_no_window(stub, capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"ifuview {ifuview.__version__}\n"
    assert cli.main(["-h"]) == 0
    assert "-saveimage" in capsys.readouterr().out
    assert "script" not in stub


def test_the_view_command_gets_the_script(stub):
    assert cli.main(["-zscale", "a.fits"]) == 0
    assert stub["script"].files == ("a.fits",)
    assert cli.main(["view", "demo"]) == 0
    assert stub["script"].files == ("demo",)


def test_warnings_travel_with_the_script(stub):
    cli.main(["-xpa", "no", "-bogus", "a.fits"])
    assert len(stub["script"].warnings) == 2


def test_bad_input_is_code_two_and_one_sentence(stub, capsys):
    assert cli.main(["-zoom", "abc"]) == 2
    assert capsys.readouterr().err.count("\n") == 1

    def run(script):
        raise FileFormatError("it is empty", "a.fits", "choose another file")

    sys.modules["ifuview.gui.shell.app"].run = run
    assert cli.main(["a.fits"]) == 2
    assert capsys.readouterr().err == "ifuview: a.fits: it is empty; choose another file.\n"


def test_an_internal_error_is_code_one_with_its_trace(stub, capsys):
    def run(script):
        raise ZeroDivisionError("boom")

    sys.modules["ifuview.gui.shell.app"].run = run
    assert cli.main(["a.fits"]) == 1
    assert "ZeroDivisionError: boom" in capsys.readouterr().err


def test_demo(stub):
    assert cli.main(["demo", "--offscreen", "somewhere"]) == 0
    assert stub["demo"] == "somewhere"
    assert cli.main(["demo", "--fresh"]) == 0
    assert stub["demo"] is None
    assert cli.main(["demo"]) == 0
    assert stub["demo"] is None


def test_report(stub, capsys):
    assert cli.main(["report", "a.fits", "b.fits", "--traces", "t.fits", "--fiber", "17", "-o", "r.png"]) == 0
    paths, output, named = stub["report"]
    assert (paths, named["traces"], named["fiber"], output) == (["a.fits", "b.fits"], "t.fits", "17", "r.png")
    named["ctx"].checkpoint(0.5, "half")
    assert capsys.readouterr().err == ""  # not a terminal: no progress
    assert cli.main(["report", "a.fits"]) == 2
    missing = "the following arguments are required: -o/--output"
    assert capsys.readouterr().err == f"ifuview: report: {missing}; see ifuview report --help.\n"


def test_a_mistyped_command_is_told_apart_from_a_file(stub, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["diagnos", "a.fits", "-o", "out"]) == 2
    assert "no such command or file; did you mean ifuview diagnose?" in capsys.readouterr().err
    (tmp_path / "diagnos").mkdir()  # a folder of that name is one of exposures
    for word in ("diagnos", "diagnos.fits", "m31"):
        assert cli.main([word]) == 0
        assert stub["script"].files == (word,)


def test_import_of_the_package_is_free():
    code = "import sys, ifuview; bad = {'numpy', 'PyQt6', 'dataclasses'} & set(sys.modules); assert not bad, bad"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_are_those_of_the_headless_modules():
    for module, names in ifuview.PUBLIC.items():
        for name in names:
            assert getattr(ifuview, name) is getattr(import_module(f"ifuview.app.{module}"), name)
            assert name in dir(ifuview)
    with pytest.raises(AttributeError, match="no attribute 'bogus'"):
        _ = ifuview.bogus


def test_an_interruption_that_a_library_takes_for_its_own_error_is_one(monkeypatch, capsys):
    def swallowed(name, words):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as problem:  # numpy does that while it is imported
            raise ImportError("cannot import module datetime") from problem

    before = {number: signal.getsignal(number) for number in endings()}
    monkeypatch.setattr(cli, "_run", swallowed)
    try:
        assert cli.main(["triage", "."]) == INTERRUPTED
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert capsys.readouterr().err == ""
