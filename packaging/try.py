"""Two commands that do all set-up on a machine that has only Python.

    python3 packaging/try.py demo    make an environment, simulate data, open the window
    python3 packaging/try.py test    make an environment, run ruff, mypy and pytest
    python3 packaging/try.py test --wayland    the tests of the window on weston, at scales 1 and 2

The environment is `.venv` in the checkout, or the folder that IFUVIEW_VENV
names. Nothing but the standard library is used here. Words after `test` go to pytest;
`--slow` adds the sweeps over many cases.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
NEWEST_TO_TRY = 15
STAMP = "ifuview-try.json"
CHECKERS = ("ruff>=0.6", "mypy>=1.11", "hatchling>=1.27", "hatch-vcs>=0.4")
PICTURES = ROOT / "scratch" / "demo"
TEST_MINUTES = 45  # of a machine at half of the usual speed, with room
SERVER_SECONDS = 20
LOCK_SECONDS = 120

# Shared library that Qt asks for -> Debian and Ubuntu package
LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libICE.so.6": "libice6",
    "libSM.so.6": "libsm6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
FONTS = "fonts-dejavu-core"
PROCESSES = "2"  # of the tests that need no screen
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # more would only wait for those processes
NO_TESTS = 5  # exit code of pytest where the words leave none
SCALES = ("1", "2")  # of the screen
WESTON = {True: "x11-backend.so", False: "headless-backend.so"}  # on an X screen it has pointer, keys and clipboard
PROGRAMS = {"Xvfb": "xvfb", "openbox": "openbox"}


class Stop(Exception):
    """The work cannot go on; the text says why and what mends it."""


def main(words: list[str]) -> int:
    """Run `demo` or `test`; return the exit code."""
    if words[:1] not in (["demo"], ["test"]):
        print(__doc__.strip())
        return 0 if words[:1] in (["-h"], ["--help"]) else 2
    try:
        newer_python(words)
        return demo(words[1:]) if words[0] == "demo" else test(words[1:])
    except Stop as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def demo(words: list[str]) -> int:
    """Open the simulated data, in a window or as pictures."""
    python = environment()
    system_packages(missing_packages(python))
    if words or shows_windows(python):
        say("Opening the demo")
        return run([python, "-m", "ifuview", "demo", *words])
    say("There is no display; the same window is drawn to files")
    PICTURES.mkdir(parents=True, exist_ok=True)
    code = run([python, "-m", "ifuview", "demo", "--offscreen", PICTURES], QT_QPA_PLATFORM="offscreen")
    pictures = sorted(PICTURES.glob("*.png"))
    if code == 0 and pictures:
        print(f"\nThe {len(pictures)} pictures of the tour are in {PICTURES}")
    return code if pictures or code else 1


def test(words: list[str]) -> int:
    """Run all checks; report every failure, not only the first."""
    if "--wayland" in words:
        return test_on_wayland([word for word in words if word != "--wayland"])
    python = environment(CHECKERS)
    wanted = missing_packages(python) + [p for name, p in PROGRAMS.items() if not shutil.which(name)]
    system_packages(wanted, needed=False)
    checks = [
        ("ruff check", [python, "-m", "ruff", "check"]),
        ("ruff format", [python, "-m", "ruff", "format", "--check"]),
        ("mypy", [python, "-m", "mypy"]),
        ("pytest", [python, "-m", "pytest", "-n", PROCESSES, "--dist", "loadfile", *words]),
    ]
    failed = []
    with x_server() as display, tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as other:
        hidden = {"QT_QPA_PLATFORM": "offscreen", "DISPLAY": "", **folders(scratch)}
        shown = {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display, **folders(other)}
        hands = [python, "-m", "pytest", "-m", "screen", *(words or ["tests/gui"])]
        with aside(hands, **shown) if display else contextlib.nullcontext() as end:  # they wait more than they count
            for name, command in checks:
                say(name)
                if run(command, **hidden) != 0:
                    failed.append(name)
            if end is not None:
                say("pytest on a screen, meanwhile")
                if end() not in (0, NO_TESTS):
                    failed.append("pytest on a screen")
    print("\n" + (f"Failed: {', '.join(failed)}" if failed else "All checks passed."), flush=True)
    return 1 if failed else 0


def folders(scratch: str) -> dict:
    """Where the program keeps what it writes, and the threads of one process among others."""
    return {"IFUVIEW_CONFIG": scratch, "XDG_RUNTIME_DIR": scratch, **ONE_THREAD}


def test_on_wayland(words: list[str]) -> int:
    """The tests of the window on a Wayland compositor on an X screen; those that move a real pointer stay on X."""
    python = environment(CHECKERS)
    lacking = [p for name, p in {**PROGRAMS, "weston": "weston"}.items() if not shutil.which(name)]
    system_packages(missing_packages(python) + lacking)
    failed = []
    with x_server() as screen, tempfile.TemporaryDirectory() as scratch, wayland(scratch, screen) as display:
        place = {"WAYLAND_DISPLAY": display, "DISPLAY": "", **folders(scratch)}
        for scale in SCALES:
            say(f"pytest on Wayland, scale {scale}")
            command = [python, "-m", "pytest", *(words or ["tests/gui"])]
            if run(command, QT_QPA_PLATFORM="wayland", QT_SCALE_FACTOR=scale, **place) != 0:
                failed.append(f"scale {scale}")
    print("\n" + (f"Failed: {', '.join(failed)}" if failed else "All checks passed."), flush=True)
    return 1 if failed else 0


@contextlib.contextmanager
def wayland(folder: str, screen: str):
    """A weston in a runtime folder, on an X screen if there is one; gives the name of its socket."""
    name = "ifuview-test"
    command = [
        "weston",
        f"--backend={WESTON[bool(screen)]}",
        f"--socket={name}",
        "--width=1920",
        "--height=1080",
        "--idle-time=0",
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, env={**os.environ, "XDG_RUNTIME_DIR": folder, "DISPLAY": screen}, **quiet)
    try:
        for _ in range(10 * SERVER_SECONDS):
            if os.path.exists(os.path.join(folder, name)):
                break
            time.sleep(0.1)
        else:
            raise Stop("weston did not start; try: weston --backend=headless-backend.so")
        yield name
    finally:
        server.terminate()
        server.wait()


# Python and its environment


def newer_python(words: list[str]) -> None:
    """Go on under a newer Python if this one is too old."""
    if sys.version_info >= OLDEST:
        return
    for minor in range(NEWEST_TO_TRY, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            os.execv(found, [found, str(Path(__file__).resolve()), *words])
    oldest = ".".join(map(str, OLDEST))
    raise Stop(
        f"ifuview needs Python {oldest} or newer; this is {platform.python_version()} and no newer one was found.\n"
        f"Install one, for example:\n  {apt_command([f'python{oldest}', f'python{oldest}-venv'])}"
    )


def environment(extra: tuple[str, ...] = ()) -> Path:
    """Make or reuse the environment, with what the tests need where `extra` names their checkers; return its Python."""
    folder = Path(os.environ.get("IFUVIEW_VENV") or ROOT / ".venv").resolve()
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    known = read_stamp(folder)
    if python.exists() and known.get("pyproject") == fingerprint() and set(extra) <= set(known.get("extra", ())):
        return python
    if not python.exists():
        say(f"Making an environment in {folder}")
        create(folder)
    say("Installing ifuview and what it needs (a few minutes the first time)")
    extra = tuple(sorted({*extra, *known.get("extra", ())}))
    install(python, ["-e", f"{ROOT}[test]" if extra else str(ROOT), *extra])
    stamp = {"pyproject": fingerprint(), "extra": extra}
    (folder / STAMP).write_text(json.dumps(stamp), encoding="utf-8")
    return python


def create(folder: Path) -> None:
    """Make a virtual environment with pip."""
    command = [sys.executable, "-m", "venv", str(folder)]
    if subprocess.run(command, capture_output=True).returncode == 0:
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if can_install():
        install_packages([package])
        if subprocess.run(command).returncode == 0:
            return
    shutil.rmtree(folder, ignore_errors=True)
    raise Stop(
        "Python cannot make an environment: its venv module is not complete.\n"
        f"Mend it with:\n  {apt_command([package])}"
    )


def install(python: Path, what: list[str]) -> None:
    """Install with pip; a network that stumbles gets a second chance."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what]
    for attempt in (1, 2):
        if subprocess.run(command, cwd=ROOT).returncode == 0:
            return
        if attempt == 1:
            say("pip failed; once more")
    raise Stop("pip could not install ifuview (see above). Try by hand:\n  " + " ".join(map(quoted, command)))


def fingerprint() -> str:
    """What the environment was made for: pyproject.toml, the place of the checkout, the Python."""
    text = (ROOT / "pyproject.toml").read_bytes() + f"{ROOT} {sys.version_info[:2]}".encode()
    return hashlib.sha256(text).hexdigest()


def read_stamp(folder: Path) -> dict:
    """What an earlier run left in the environment."""
    try:
        return json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


# Libraries of the system


def missing_packages(python: Path) -> list[str]:
    """Packages with the libraries that Qt does not find, and a font if there is none."""
    if not sys.platform.startswith("linux"):
        return []
    code = "import PyQt6, pathlib; print(pathlib.Path(PyQt6.__file__).parent)"
    found = subprocess.run([str(python), "-c", code], capture_output=True, text=True)
    if found.returncode:
        raise Stop(f"PyQt6 is not in the environment:\n{found.stderr.strip()}")
    qt = Path(found.stdout.strip())
    parts = [*qt.glob("QtWidgets*.so"), *qt.glob("Qt6/plugins/platforms/libqxcb.so")]
    text = "".join(subprocess.run(["ldd", str(p)], capture_output=True, text=True).stdout for p in parts)
    return packages_for(text) + ([] if has_font() else [FONTS])


def packages_for(ldd: str) -> list[str]:
    """Packages for the libraries that `ldd` reports as not found, in order and once each."""
    names = [line.split("=>")[0].strip() for line in ldd.splitlines() if "not found" in line and "=>" in line]
    return sorted({LIBRARIES[name] for name in names if name in LIBRARIES})


def has_font() -> bool:
    """Whether any font file is installed."""
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
    return any(next(f.rglob(kind), None) for f in folders if f.is_dir() for kind in ("*.ttf", "*.otf", "*.ttc"))


def system_packages(packages: list[str], *, needed: bool = True) -> None:
    """Install packages if that is allowed here; else say how.

    With `needed` false the work goes on without them.
    """
    if not packages:
        return
    text = f"These system packages are missing: {' '.join(packages)}\nInstall them with:\n  {apt_command(packages)}"
    if can_install():
        say(f"Installing system packages: {' '.join(packages)}")
        if install_packages(packages):
            return
    if needed:
        raise Stop(text)
    print(f"\n{text}\nGoing on without; tests that need them are skipped.", flush=True)


def can_install() -> bool:
    """Whether this is Debian or Ubuntu, and this user may install packages."""
    return shutil.which("apt-get") is not None and hasattr(os, "geteuid") and os.geteuid() == 0


def install_packages(packages: list[str]) -> bool:
    """Install with apt-get, waiting for another one that runs; the second attempt fetches the list of packages anew."""
    wait = ["-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}"]
    command = ["apt-get", "install", "-y", "-qq", *wait, "--no-install-recommends", *packages]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for first in (True, False):
        if subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL).returncode == 0:
            return True
        if first:
            subprocess.run(["apt-get", "update", "-qq", *wait], env=quiet, stdout=subprocess.DEVNULL)
    return False


def apt_command(packages: list[str]) -> str:
    """The command that a person types."""
    if shutil.which("apt-get") is None:
        return f"(with your system's installer; Debian's names are: {' '.join(packages)})"
    return f"sudo apt-get update && sudo apt-get install -y {' '.join(packages)}"


# Display


def shows_windows(python: Path) -> bool:
    """Whether Qt can open a window here."""
    if not sys.platform.startswith("linux"):
        return True
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    code = "from PyQt6.QtGui import QGuiApplication as A; a = A([]); raise SystemExit(a.platformName() == 'offscreen')"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.run([str(python), "-c", code], timeout=60, **quiet).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@contextlib.contextmanager
def x_server():
    """An X server of our own with a window manager; gives its DISPLAY, "" where there is none."""
    if not shutil.which("Xvfb"):
        yield ""
        return
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, pass_fds=[write], **quiet)
    os.close(write)
    manager = None
    try:
        display = first_line(read)
        if display and shutil.which("openbox"):
            manager = subprocess.Popen(["openbox"], env={**os.environ, "DISPLAY": f":{display}"}, **quiet)
        yield f":{display}" if display else ""
    finally:
        for process in (manager, server):
            if process is not None:
                process.terminate()
                process.wait()


def first_line(descriptor: int) -> str:
    """The first line that arrives on a pipe, "" if none does in time."""
    import select

    with os.fdopen(descriptor) as pipe:
        ready, _, _ = select.select([pipe], [], [], SERVER_SECONDS)
        return pipe.readline().strip() if ready else ""


# Small things


def run(command: list, **variables: str) -> int:
    """Run a command in the checkout with some environment variables; return its code."""
    child = {**os.environ, **variables}
    try:
        return subprocess.run([str(c) for c in command], cwd=ROOT, env=child, timeout=60 * TEST_MINUTES).returncode
    except subprocess.TimeoutExpired:
        print(f"\nstopped after {TEST_MINUTES} minutes", file=sys.stderr)
        return 1


@contextlib.contextmanager
def aside(command: list, **variables: str):
    """Run a command beside others; gives a function that waits for it, prints what it said and returns its code."""
    child = {**os.environ, **variables}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [str(c) for c in command], cwd=ROOT, env=child, stdout=said, stderr=subprocess.STDOUT
        )

        def end() -> int:
            try:
                process.wait(60 * TEST_MINUTES)
            except subprocess.TimeoutExpired:
                process.kill()
            said.seek(0)
            print(said.read().decode("utf-8", "replace"), flush=True)
            return process.wait()

        try:
            yield end
        finally:
            process.kill()
            process.wait()


def quoted(word: str) -> str:
    """A word as a shell needs it."""
    import shlex

    return shlex.quote(word)


def say(text: str) -> None:
    """One line about what is being done."""
    print(f"== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
