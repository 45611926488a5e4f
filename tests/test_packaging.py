"""The wheel holds what the program needs, and the two commands say what is missing."""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
LDD = """\
	libxcb-cursor.so.0 => not found
	libEGL.so.1 => not found
	libodd.so.3 => not found
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)
	libxcb-cursor.so.0 => not found
"""


@pytest.fixture
def two_commands() -> ModuleType:
    spec = importlib.util.spec_from_file_location("try_py", ROOT / "packaging" / "try.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# the wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder outside the checkout into which the built wheel was unpacked."""
    pytest.importorskip("hatchling", reason="the wheel needs hatchling to be built without a network")
    wheels = tmp_path_factory.mktemp("wheel")
    code = "from hatchling.build import build_wheel; import sys; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(wheels)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = wheels.glob("ifuview-*.whl")
    place = tmp_path_factory.mktemp("elsewhere")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def python_elsewhere(place: Path, code: str) -> str:
    """Output of a Python that sees the unpacked wheel and not the checkout."""
    env = {**os.environ, "PYTHONPATH": str(place), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=place, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_finds_icons_help_and_instruments(installed):
    code = """
import ifuview
from ifuview import resources
print(ifuview.__file__)
print(resources.root())
for folder, suffix in (("icons", "svg"), ("help", "md"), ("instruments", "toml"), ("colormaps", "txt")):
    print(folder, len(list(resources.path(folder).glob(f"*.{suffix}"))))
from ifuview.instrument.catalog import names
print("plain" in names())
"""
    lines = python_elsewhere(installed, code).splitlines()
    assert lines[0].startswith(str(installed))
    assert lines[1] == str(installed / "ifuview" / "_resources")
    counts = dict(line.split() for line in lines[2:6])
    for folder, count in counts.items():
        own = (ROOT / "resources" / folder).iterdir()
        files = [p for p in own if p.is_file() and not p.name.startswith((".", "_"))]  # tables lie in folders
        assert int(count) == len(files) > 0, folder
    assert lines[6] == "True"


def test_the_wheel_has_license_and_entry_point(installed):
    (info,) = installed.glob("ifuview-*.dist-info")
    assert "ifuview = ifuview.__main__:main" in (info / "entry_points.txt").read_text()
    assert "GPL-3.0-or-later" in (info / "METADATA").read_text("utf-8")
    assert list(info.rglob("LICENSE"))


def test_the_wheel_runs_the_command_line(installed):
    out = python_elsewhere(installed, "import sys; from ifuview import cli; sys.exit(cli.main(['--version']))")
    assert out.startswith("ifuview ")


def test_the_wheel_holds_no_tests_and_no_scratch(installed):
    tops = {p.name for p in installed.iterdir()}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"ifuview"}


# the two commands


def test_libraries_that_ldd_misses_become_packages(two_commands):
    assert two_commands.packages_for(LDD) == ["libegl1", "libxcb-cursor0"]


def test_an_old_python_is_said_in_one_sentence_with_its_cure(two_commands, monkeypatch):
    monkeypatch.setattr(two_commands.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(two_commands.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    with pytest.raises(two_commands.Stop) as caught:
        two_commands.newer_python(["demo"])
    assert "needs Python 3.11 or newer" in str(caught.value)
    assert "sudo apt-get" in str(caught.value)


def test_a_newer_python_takes_over(two_commands, monkeypatch):
    taken = []
    monkeypatch.setattr(two_commands.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(two_commands.shutil, "which", lambda name: f"/bin/{name}" if name == "python3.12" else None)

    def execv(path, argv):
        taken.extend([path, *argv])
        raise SystemExit

    monkeypatch.setattr(two_commands.os, "execv", execv)
    with pytest.raises(SystemExit):
        two_commands.newer_python(["test", "-x"])
    assert taken[0] == "/bin/python3.12"
    assert taken[-2:] == ["test", "-x"]


def test_without_rights_the_exact_command_is_told(two_commands, monkeypatch, capsys):
    monkeypatch.setattr(two_commands, "can_install", lambda: False)
    monkeypatch.setattr(two_commands.shutil, "which", lambda name: "/usr/bin/apt-get")
    line = "sudo apt-get update && sudo apt-get install -y libegl1 xvfb"
    with pytest.raises(two_commands.Stop) as caught:
        two_commands.system_packages(["libegl1", "xvfb"])
    assert line in str(caught.value)
    two_commands.system_packages(["libegl1", "xvfb"], needed=False)
    assert line in capsys.readouterr().out
    two_commands.system_packages([])


def test_pip_gets_a_second_chance(two_commands, monkeypatch):
    calls = []

    def run(command, **_):
        calls.append(command)
        return subprocess.CompletedProcess(command, 1 if len(calls) == 1 else 0)

    monkeypatch.setattr(two_commands.subprocess, "run", run)
    two_commands.install(Path("python"), ["-e", "."])
    assert len(calls) == 2
    calls.clear()
    monkeypatch.setattr(two_commands.subprocess, "run", lambda c, **_: subprocess.CompletedProcess(c, 1))
    with pytest.raises(two_commands.Stop, match="pip install"):
        two_commands.install(Path("python"), ["-e", "."])


def test_an_environment_is_reused_until_pyproject_changes(two_commands, monkeypatch, tmp_path):
    monkeypatch.setenv("IFUVIEW_VENV", str(tmp_path / "venv"))
    made, installed = [], []

    def create(folder):
        made.append(folder)
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").touch()
        (folder / "Scripts").mkdir()
        (folder / "Scripts" / "python.exe").touch()

    monkeypatch.setattr(two_commands, "create", create)
    monkeypatch.setattr(two_commands, "install", lambda python, what: installed.append(what))
    two_commands.environment()
    two_commands.environment()
    assert len(made) == len(installed) == 1
    assert not any("[test]" in word for word in installed[0])  # the demo waits for no test tools
    two_commands.environment(("ruff",))
    two_commands.environment(("ruff",))
    two_commands.environment()
    assert len(made) == 1
    assert len(installed) == 2
    assert installed[1][-1] == "ruff" and installed[1][1].endswith("[test]")
    monkeypatch.setattr(two_commands, "fingerprint", lambda: "other")
    two_commands.environment()
    assert len(installed) == 3


def test_unknown_words_show_how_to_use_it(two_commands, capsys):
    assert two_commands.main(["bogus"]) == 2
    assert two_commands.main(["--help"]) == 0
    assert "packaging/try.py demo" in capsys.readouterr().out


def test_it_needs_nothing_but_the_standard_library():
    import ast

    text = (ROOT / "packaging" / "try.py").read_text("utf-8")
    tree = ast.parse(text, feature_version=(3, 8))  # an old Python must get as far as the sentence about its age
    names = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names)


def test_what_the_readme_promises_exists():
    text = (ROOT / "README.md").read_text("utf-8")
    for path in ("packaging/try.py", "resources/instruments", "packaging/news", "LICENSE", "tests/test_layers.py"):
        assert path in text
        assert (ROOT / path).exists()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_commands_that_are_written_down_are_understood():
    from ifuview.commands.run import parser
    from ifuview.commands.table import COMMANDS

    pages = [(ROOT / name).read_text("utf-8") for name in ("README.md", "packaging/CONTRIBUTING.md")]
    lines = [line for page in pages for line in page.splitlines()]
    asked = [shlex.split(line.partition("#")[0])[1:] for line in lines if line.startswith("    ifuview ")]
    commands = [words for words in asked if words[0] in COMMANDS]
    assert len(commands) > 10
    for words in commands:
        name = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
        parser(name).parse_args(words[len(name.split()) :])  # ends the program if it is wrong


def test_packages_that_cannot_be_installed_stop_no_test(two_commands, monkeypatch, capsys) -> None:
    monkeypatch.setattr(two_commands, "can_install", lambda: True)
    monkeypatch.setattr(two_commands.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 100))
    two_commands.system_packages(["xvfb"], needed=False)
    assert "xvfb" in capsys.readouterr().out
    with pytest.raises(two_commands.Stop, match="xvfb"):
        two_commands.system_packages(["xvfb"])
