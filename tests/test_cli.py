"""Exit codes, the choice of the platform and the words of the command line."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

import ifuview
from ifuview import cli
from ifuview.commands import completion, display, man, run, table, view
from ifuview.errors import FileFormatError, UsageError


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
    assert "no such command or file; try ifuview diagnose." in capsys.readouterr().err
    (tmp_path / "diagnos").mkdir()  # a folder of that name is one of exposures
    for word in ("diagnos", "diagnos.fits", "m31"):
        assert cli.main([word]) == 0
        assert stub["script"].files == (word,)


@pytest.mark.parametrize("name", [name for name in table.COMMANDS if name != table.VIEW])
def test_every_command_is_in_usage_manual_and_completion(name, capsys):
    assert cli.main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert table.COMMANDS[name].title.split()[0] in said
    assert f"ifuview {name} " in view.usage()
    page = man.page().replace("\\-", "-")
    assert f'.SS "ifuview {name}"' in page
    needed = [word for word in table.COMMANDS[name].words.split() if word.startswith("-")]
    assert set(needed) <= {option for action in run.arguments(run.parser(name)) for option in action.option_strings}
    for action in run.arguments(run.parser(name)):
        assert action.help, f"{name} does not say what {action.dest} is"
        for option in action.option_strings:
            assert option in said and f"\\fB{option}\\fR" in page


def test_no_command_is_left_out_of_the_table():
    folder = Path(table.__file__).parent
    found = {path for path in folder.rglob("*.py") if "\ndef options(" in path.read_text("utf-8")}
    listed = {folder / f"{row.module.replace('.', '/')}.py" for row in table.COMMANDS.values()}
    assert listed == found | {folder / "view.py"}


def test_the_manual_page_is_one_that_man_reads(tmp_path):
    (tmp_path / "ifuview.1").write_text(man.page())
    if shutil.which("groff") is None:
        pytest.skip("there is no groff")
    words = ["groff", "-man", "-ww", "-Tutf8", "-P-cbou", str(tmp_path / "ifuview.1")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "--thresholds" in done.stdout and "f.fits[SCI]" in done.stdout


@pytest.mark.parametrize(
    "words, offered, not_offered",
    [
        (("diag",), {"diagnose"}, {"triage"}),
        (("diagnose", "--th"), {"--thresholds"}, {"--after"}),
        (("batch", "--sch"), {"--scheduler"}, set()),
        (("speckle", "a.h5", "--method", ""), {"binned", "arrival"}, {"a.h5"}),
        (("-zs",), {"-zscale"}, set()),
        (("report", "a"), {"a.fits"}, {"report"}),
        (("completion", ""), {"bash", "zsh"}, set()),
    ],
)
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_offers_what_fits(tmp_path, words, offered, not_offered):
    (tmp_path / "a.fits").touch()
    line = " ".join(shlex.quote(word) for word in ("ifuview", *words))
    asked = f'COMP_WORDS=({line}); COMP_CWORD={len(words)}; _ifuview; printf "%s\\n" "${{COMPREPLY[@]}}"'
    code = f"{completion.bash()}\n{asked}"
    found = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert found.stderr == ""
    assert offered <= set(found.stdout.split()) and not not_offered & set(found.stdout.split())


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_reads_its_completion():
    subprocess.run(["zsh", "-n", "-c", completion.zsh()], check=True)


def test_progress_is_one_line(capsys):
    bar = run.Progress()
    bar(0.5, "extracting")
    bar.close()
    err = capsys.readouterr().err
    assert " 50 % extracting" in err
    assert "\n" not in err


def test_offscreen_is_chosen_for_a_script_that_exits(monkeypatch):
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    display.choose_platform(headless=True, wanted=False)
    assert display.os.environ["QT_QPA_PLATFORM"] == "offscreen"
    monkeypatch.delenv("QT_QPA_PLATFORM")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="asks for X11 or Wayland")
def test_no_display_is_said_in_one_sentence(monkeypatch):
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="no display"):
        display.choose_platform(headless=False, wanted=True)
    monkeypatch.setenv("DISPLAY", ":7")
    display.choose_platform(headless=False, wanted=True)
    assert "QT_QPA_PLATFORM" not in display.os.environ


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
