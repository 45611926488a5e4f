"""The user's preferences: a frozen value, read from and written to one TOML file."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ifuview.errors import FileFormatError, MissingDataError
from ifuview.files import put
from ifuview.folders import user_folder
from ifuview.inputs import own_file, read_toml

FILE = "settings.toml"
RECENT_KEPT = 20
MOST = 10**8  # of any number
LIMITS = ("zscale", "minmax")
CHOICES = {
    "theme": ("auto", "light", "dark"),
    "wheel": ("cursor", "center"),
    "judge": ("opening", "asked"),
    "sky": ("degrees", "sexagesimal"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What survives a restart, besides the window layout.

    Parameters
    ----------
    theme : str
        "auto" follows the desktop; "light", "dark".
    wheel : str
        The mouse wheel zooms about the "cursor" or, as in ds9, about the "center".
    cmap : str
        Color map of new frames.
    limits : str
        Limits of new frames: "zscale", "minmax" or a percentage such as "99.5".
    blink_ms : int
        Time that each frame is shown.
    memory_warn_mib, memory_limit_mib : int
        Memory of the open frames above which a message appears, and above which nothing more is cached or opened.
    threads : int
        Threads that measuring and extraction are spread over; 0: one for each core.
    judge : str
        What is opened is judged on "opening", or only when "asked".
    sky : str
        Positions on the sky in "degrees" or "sexagesimal".
    baseraw : str
        Folder of raw nights, for reductions that name a date alone.
    data : str
        Folder in which dialogs that open files start; "": that of the environment (`preferences.data_folder`), else
        that of the last file.
    calibrations : str
        Folder of calibrations for nights without their own; "": that of the environment
        (`preferences.calibration_folder`).
    recent : tuple of str
        Files opened last, newest first.
    """

    theme: str = "auto"
    wheel: str = "cursor"
    cmap: str = "grey"
    limits: str = "zscale"
    blink_ms: int = 500
    memory_warn_mib: int = 4096
    memory_limit_mib: int = 8192
    threads: int = 0
    judge: str = "opening"
    sky: str = "degrees"
    baseraw: str = ""
    data: str = ""
    calibrations: str = ""
    recent: tuple[str, ...] = ()

    def look_fields(self) -> tuple[tuple[str, object], ...]:
        """Fields of the look of new frames, by name, where they are not the program's own."""
        out: list[tuple[str, object]] = []
        if self.cmap != Settings().cmap:
            out.append(("cmap", self.cmap))
        if self.limits == "minmax":
            out.append(("limit_mode", "minmax"))
        elif (percent := _percent(self.limits)) is not None:
            out += [("limit_mode", "percentile"), ("percent", percent)]
        return tuple(out)

    def opened(self, path: str) -> Settings:
        """The settings with `path` first among the recent files."""
        others = tuple(p for p in self.recent if p != path)
        return replace(self, recent=(path, *others)[:RECENT_KEPT])


def default_path() -> Path:
    """Where the settings lie for this user."""
    return user_folder("config") / FILE


def load(path: Path | None = None) -> tuple[Settings, str]:
    """Return the settings and a note for the user ("" if all was well).

    A missing file means defaults. A broken file, or a value that makes no
    sense, never stops the program: what can be used is used, the note says the rest.
    """
    path = path or default_path()
    try:
        stored = read_toml(path)
        own_file(path)  # read at the start, written at the end
    except MissingDataError:
        return Settings(), ""
    except FileFormatError as problem:
        return Settings(), f"{problem} It holds the settings; defaults are used."
    known = {f.name: f.default for f in fields(Settings)}
    good = {name: _fitting(name, value, known[name]) for name, value in stored.items() if name in known}
    bad = sorted(name for name, value in good.items() if value is None)
    settings = Settings(**{name: value for name, value in good.items() if value is not None})
    note = f"{path}: the values of {', '.join(bad)} make no sense; their defaults are used." if bad else ""
    return settings, note


def save(settings: Settings, path: Path | None = None) -> None:
    """Write the settings; the file is replaced as a whole or not at all.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    path = path or default_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{f.name} = {_toml(getattr(settings, f.name))}\n" for f in fields(Settings)]
    put(path, "# Preferences of ifuview. Delete this file to go back to the defaults.\n" + "".join(lines))


def _fitting(name: str, value: object, default: object) -> Any:
    """`value` in the type of `default`, None if it does not fit."""
    if isinstance(default, tuple):
        return tuple(v for v in value if isinstance(v, str))[:RECENT_KEPT] if isinstance(value, list) else None
    if isinstance(default, int):
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        return value if value == default or 0 < value <= MOST else None
    if not isinstance(value, str) or value not in CHOICES.get(name, (value,)):
        return None
    if name == "limits" and value not in LIMITS and _percent(value) is None:
        return None
    return value


def _percent(text: str) -> float | None:
    """The percentage that a text is, None if it is none."""
    if not (text.isascii() and text.replace(".", "", 1).isdigit()):
        return None
    return value if 0 < (value := float(text)) <= 100 else None


def _toml(value: object) -> str:
    """One value as TOML."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return str(value) if isinstance(value, int) else _quoted(str(value))


def _quoted(text: str) -> str:
    """A basic TOML string; file names may hold any character."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    body = "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped)
    return f'"{body}"'.encode("utf-8", "replace").decode()
