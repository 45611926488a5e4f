"""What a release has to pass, one line a step.

    python3 packaging/release.py check             all steps
    python3 packaging/release.py check wheel docs  some of them
    python3 packaging/release.py constraints       write packaging/constraints.txt: the packages of this environment

Needs the extra "release" (build, twine, pyroma, check-wheel-contents, mkdocs-material, towncrier); a step whose tool is
not there is said to be left out, and counts as a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINUTES = 20
PYROMA_BEST = "10/10"


class Failed(Exception):
    """A step failed; the text says how."""


def main(words: list[str]) -> int:
    """Run `check` or `constraints`; return the exit code."""
    if words[:1] == ["constraints"]:
        return constraints()
    if words[:1] != ["check"] or set(words[1:]) - set(STEPS):
        print(f"{__doc__.strip()}\n\nSteps: {', '.join(STEPS)}")
        return 0 if words[:1] in (["-h"], ["--help"]) else 2
    wanted = [name for name in STEPS if name in words[1:] or not words[1:]]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="ifuview-release-") as scratch:
        for name in wanted:
            began = time.monotonic()
            try:
                told = STEPS[name](Path(scratch))
            except Failed as problem:
                told, failed = f"FAILED: {problem}", failed + 1
            print(f"{name:12} {time.monotonic() - began:6.1f} s  {told}", flush=True)
    return 1 if failed else 0


def wheel(scratch: Path) -> str:
    """Build the wheel and the sdist."""
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", scratch / "dist", ROOT])
    return " and ".join(f"{p.name} ({p.stat().st_size / 1e6:.1f} MB)" for p in built(scratch))


def contents(scratch: Path) -> str:
    """check-wheel-contents."""
    (made,) = built(scratch, "*.whl")
    return last(run([tool("check-wheel-contents"), "--config", ROOT / "pyproject.toml", made]))


def metadata(scratch: Path) -> str:
    """twine check, and pyroma at its best."""
    run([sys.executable, "-m", "twine", "check", "--strict", *built(scratch)])
    rating = run([tool("pyroma"), "--min=10", *built(scratch, "*.tar.gz")])
    if PYROMA_BEST not in rating:
        raise Failed(last(rating))
    return f"twine is content, pyroma gives {PYROMA_BEST}"


def clean(scratch: Path) -> str:
    """Install the wheel, then the sdist, into environments that hold nothing else."""
    out = []
    for pattern in ("*.whl", "*.tar.gz"):
        (made,) = built(scratch, pattern)
        place = scratch / f"env-{made.suffix.lstrip('.')}"
        python = environment(place)
        run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", made])
        out.append(run([python, "-m", "ifuview", "--version"], cwd=scratch).split()[-1])
    return f"wheel and sdist install and start ({', '.join(out)})"


def desktop(scratch: Path) -> str:
    """The desktop files of the wheel, written and validated."""
    share = scratch / "share"
    run([sys.executable, "-m", "ifuview", "--install-desktop", "--user"], XDG_DATA_HOME=str(share))
    checked = []
    for program, words, place in (
        ("desktop-file-validate", [], "applications/ifuview.desktop"),
        ("appstreamcli", ["validate", "--no-net"], "metainfo/org.example.ifuview.metainfo.xml"),
        ("xmllint", ["--noout"], "mime/packages/ifuview.xml"),
    ):
        if shutil.which(program):
            run([program, *words, share / place])
            checked.append(program)
    return f"written; checked by {', '.join(checked) or 'nothing: no validator is here'}"


def words(_: Path) -> str:
    """Manual page and completion come out of the table of commands."""
    page = run([sys.executable, "-m", "ifuview", "man"])
    shells = [run([sys.executable, "-m", "ifuview", "completion", shell]) for shell in ("bash", "zsh", "fish")]
    for shell, text in zip(("bash", "zsh", "fish"), shells):
        if shutil.which(shell):
            run([shell, "-n", "/dev/stdin"], input=text)
    return f"manual of {len(page.splitlines())} lines; completion for bash, zsh and fish"


def docs(scratch: Path) -> str:
    """The documentation, built strictly; its pictures are made first."""
    run([sys.executable, ROOT / "packaging" / "docs" / "make.py", scratch / "docs"])
    config = scratch / "docs" / "mkdocs.yml"
    run([sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", config, "-d", scratch / "site"])
    return f"{len(list((scratch / 'site').rglob('*.html')))} pages, strictly"


def news(_: Path) -> str:
    """The change log that towncrier would write."""
    config = ROOT / "packaging" / "towncrier.toml"
    text = run([tool("towncrier"), "build", "--draft", "--version", "0", "--dir", ROOT, "--config", config])
    return f"{text.count(chr(10) + '- ')} fragments"


def appdir(scratch: Path) -> str:
    """The folder that an AppImage is packed from, made of the wheel and started."""
    (made,) = built(scratch, "*.whl")
    run([sys.executable, ROOT / "packaging" / "appimage" / "appdir.py", made, scratch / "ifuview.AppDir"])
    start = scratch / "ifuview.AppDir" / "AppRun"
    return f"starts as {run([start, '--version'], PYTHONPATH='', PYTHONHOME='').strip()}"


STEPS: dict[str, Callable[[Path], str]] = {
    "wheel": wheel, "contents": contents, "metadata": metadata, "clean": clean, "desktop": desktop, "words": words,
    "docs": docs, "news": news, "appdir": appdir,
}  # fmt: skip


def constraints() -> int:
    """Write the versions of this environment, as the tested set."""
    frozen = run([sys.executable, "-m", "pip", "freeze", "--exclude-editable", "--exclude", "ifuview"])
    lines = [line for line in frozen.splitlines() if "==" in line]
    text = "# The tested set: pip install ifuview -c packaging/constraints.txt\n" + "\n".join(lines) + "\n"
    (ROOT / "packaging" / "constraints.txt").write_text(text, encoding="utf-8")
    print(f"{len(lines)} packages")
    return 0


def built(scratch: Path, pattern: str = "*") -> list[Path]:
    """What `wheel` has made; made now if it was not."""
    folder = scratch / "dist"
    if not folder.is_dir():
        wheel(scratch)
    return sorted(folder.glob(pattern))


def environment(place: Path) -> Path:
    """An environment of its own; its Python."""
    venv.create(place, with_pip=True, symlinks=os.name != "nt")
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def tool(name: str) -> str:
    """A program of this environment."""
    found = shutil.which(name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    if found is None:
        raise Failed(f"{name} is not here; pip install '.[release]'")
    return found


def run(command: list, *, input: str | None = None, cwd: Path = ROOT, **variables: str) -> str:
    """What a program says; Failed with its last lines if it fails."""
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **variables}
    try:
        done = subprocess.run([str(c) for c in command], cwd=cwd, env=env, input=input, text=True, timeout=60 * MINUTES,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Failed(str(problem)) from problem
    if done.returncode:
        raise Failed(f"{Path(command[0]).name}: " + " | ".join(done.stdout.strip().splitlines()[-4:]))
    return done.stdout


def last(text: str) -> str:
    """The last line that says anything."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
