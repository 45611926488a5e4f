"""Makes the source of the documentation: the pages here, the help of the window, what is written by the program itself.

    python3 packaging/docs/make.py OUT              # OUT/mkdocs.yml and OUT/docs
    python3 packaging/docs/make.py OUT --no-pictures
    mkdocs build --strict -f OUT/mkdocs.yml -d SITE

Pictures come from the demo and from the tutorials, which are run.
"""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HELP = ROOT / "resources" / "help"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")
OF_THE_DEMO = "../pictures/"
LONG = ("tutorial-heads", "tutorial-raw")
NAV = {
    "": ("first-steps", "command-line", "canvas", "frames", "files"),
    "Tutorials": ("demo", "tutorial-qa", "tutorial-traces", "tutorial-photons", "tutorial-raw", "tutorial-heads"),
    "How to": ("traces", "doctor", "report", "triage", "batch", "instruments", "other-tools"),
}
# what the reference shows of the program itself: (module, names)
TOML = (
    ("model.instrument", ("InstrumentSpec", "CameraSpec", "AmplifierSpec", "OrientationCase")),
    ("model.product", None),
    ("settings", ("Settings",)),
)
CONFIG = """\
site_name: ifuview
theme: { name: material, features: [navigation.indexes, content.code.copy], font: false }
markdown_extensions: [tables, fenced_code, toc: { permalink: true }]
use_directory_urls: true
plugins: [search]
validation: { links: { anchors: warn } }
nav:
"""


def main(out: Path, pictures: bool) -> None:
    """Write everything below `out`."""
    docs = out / "docs"
    shutil.rmtree(docs, ignore_errors=True)
    (docs / "help").mkdir(parents=True)
    (docs / "reference").mkdir()
    for page in (ROOT / "packaging" / "docs").glob("*.md"):
        shutil.copy2(page, docs)
    for page in HELP.glob("*.md"):
        shutil.copy2(page, docs / "help")
    _gathered(docs)
    for name, text in (("commands", commands()), ("python", python()), ("toml", toml())):
        (docs / "reference" / f"{name}.md").write_text(text, encoding="utf-8")
    (out / "mkdocs.yml").write_text(CONFIG + navigation(docs), encoding="utf-8")
    if pictures:
        make_pictures(docs)
    else:
        for page in docs.rglob("*.md"):
            page.write_text(PICTURE.sub("", page.read_text("utf-8")), encoding="utf-8")


def _gathered(docs: Path) -> None:
    """Pages that lie elsewhere in the checkout."""
    truth = ROOT / "packaging" / "truth"
    title = "# What the triage finds\n\n![Share of defects that are found](truth.png)\n\n"
    (docs / "detection.md").write_text(title + (truth / "truth.md").read_text("utf-8"), encoding="utf-8")
    shutil.copy2(truth / "truth.png", docs)
    readme = (ROOT / "README.md").read_text("utf-8")
    picture = readme.partition("## The picture\n")[2].partition("\n## ")[0]
    house = (ROOT / "packaging" / "CONTRIBUTING.md").read_text("utf-8")
    (docs / "architecture.md").write_text(f"{house}\n## The picture\n{picture}", encoding="utf-8")
    for name in ("CHANGELOG", "SECURITY"):
        shutil.copy2(ROOT / "packaging" / f"{name}.md", docs / f"{name.lower()}.md")


def navigation(docs: Path) -> str:
    """The table of contents: every page of the help stands in it once."""
    placed = {name for names in NAV.values() for name in names}
    rest = sorted(p.stem for p in (docs / "help").glob("*.md") if p.stem not in placed)
    lines = ["  - index.md", "  - install.md"]
    for title, names in {**NAV, "Panels": rest}.items():
        pad = "  " if not title else "      "
        lines += [f"  - {title}:"] if title else []
        lines += [f"{pad}- help/{name}.md" for name in names]
    lines += ["  - Reference:", *(f"      - reference/{n}.md" for n in ("commands", "python", "toml"))]
    lines += ["      - detection.md", "      - architecture.md", "      - changelog.md", "      - security.md"]
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Every command with its options, from the one table."""
    from ifuview.commands.run import parser
    from ifuview.commands.table import COMMANDS, VIEW
    from ifuview.commands.view import usage

    os.environ["COLUMNS"] = "110"
    out = ["# Commands", _code(usage())]
    for name, row in COMMANDS.items():
        if name != VIEW:
            out += [f"## ifuview {name}", row.title, _code(parser(name).format_help())]
    return "\n\n".join(out) + "\n"


def python() -> str:
    """What can be taken from the package, with its docstrings."""
    import ifuview

    out = ["# Python", "`import ifuview` is free: each of these is imported when it is first asked for."]
    for name, module in ifuview.WHERE.items():
        found = getattr(import_module(module), name)
        out += [f"## ifuview.{name}", _code(f"{name}{_signature(found)}"), _code(inspect.getdoc(found) or "")]
        if inspect.isclass(found):
            for method, member in vars(found).items():
                if not method.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                    words = "" if isinstance(member, property) else str(_signature(member))
                    out += [f"### {name}.{method}", _code(f"{method}{words}"), _code(inspect.getdoc(member) or "")]
    return "\n\n".join(out) + "\n"


def toml() -> str:
    """Keys of instrument files and of the preferences, as their classes say."""
    out = ["# TOML", "Instrument files lie in `resources/instruments` and in the user's own folder; "
           "`ifuview instruments FILE.toml` checks one. The preferences are the last class."]  # fmt: skip
    for module, names in TOML:
        found = import_module(f"ifuview.{module}")
        classes = [n for n, v in vars(found).items() if inspect.isclass(v) and v.__module__ == found.__name__]
        for name in classes if names is None else [n for n in names if n in classes]:
            out += [f"## {name}", _code(inspect.getdoc(getattr(found, name)) or "")]
    return "\n\n".join(out) + "\n"


def _signature(found: object) -> str:
    try:
        return str(inspect.signature(found))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "(...)"


def _code(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def make_pictures(docs: Path) -> None:
    """The tour and the tutorials, one on each core; those that take longest begin first."""
    pages = sorted((docs / "help").glob("tutorial-*.md"), key=lambda page: page.stem not in LONG)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = [pool.submit(tutorial, page, docs / "help") for page in pages]
        made.append(pool.submit(demo, docs / "pictures"))
        for one in made:
            one.result()


def demo(folder: Path) -> None:
    """The pictures of the guided tour."""
    folder.mkdir()
    _run([sys.executable, "-m", "ifuview", "demo", "--offscreen", folder], ROOT)


def tutorial(page: Path, pictures: Path) -> list[Path]:
    """Run the blocks of a tutorial in an empty folder; move the pictures that it names; return them."""
    text = page.read_text("utf-8")
    with tempfile.TemporaryDirectory(prefix="ifuview-tutorial-") as scratch:
        script = Path(scratch) / "tutorial.py"
        script.write_text("\n".join(BLOCK.findall(text)), encoding="utf-8")
        _run([sys.executable, script], Path(scratch))
        made = []
        for name in PICTURE.findall(text):
            if name.startswith(OF_THE_DEMO):
                continue
            made.append(Path(shutil.move(Path(scratch) / name, pictures / name)))
    return made


def _run(command: list[object], folder: Path) -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([str(c) for c in command], cwd=folder, env=env, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise SystemExit(f"{' '.join(str(c) for c in command)}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    words = [word for word in sys.argv[1:] if word != "--no-pictures"]
    if len(words) != 1:
        sys.exit(__doc__)
    main(Path(words[0]), "--no-pictures" not in sys.argv)
