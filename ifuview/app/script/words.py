"""The words of a command line, taken from the front, and the steps that they become.

Neither numpy nor Qt is imported, and there are few classes, because each costs the start half a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ifuview.errors import UsageError

Fields = tuple[tuple[str, object], ...]
# Every verb of a step: its arguments, and what is to be done to the current frame (or the window).
VERBS: dict[str, str] = {
    "open": "(spec, every, cube, look): open a file; all extensions as frames; as one cube; look = fields of Look",
    "look": "((name, value), ...): change fields of Look",
    "zoom": "('fit',) | ('to', factor) | ('by', factor): screen pixels per image pixel",
    "pan": "('to' | 'by', x, y): 0-based native pixels",
    "rotate": "('to' | 'by', degrees): counter-clockwise",
    "orient": "(flip_x, flip_y)",
    "block": "(factor): average over factor x factor pixels",
    "frame": "('next' | 'previous' | 'first' | 'last' | 'delete' | 'delete-all') | ('to', number from 1)",
    "layout": "(layout, arrangement): 'single' | 'tile' | 'blink'; arrangement 'grid' | 'row' | 'column' | ''",
    "blink": "(milliseconds): time of each frame",
    "lock": "(what, on): 'view' | 'sky' | 'limits' | 'colors' | 'crosshair' | 'plane'",
    "match": "(what): as for lock",
    "overlay": "(name, value): a field of session.Overlay",
    "regions": "('load' | 'save', path)",
    "traces": "(path)",
    "fiber": "(name): the number of a fiber as the instrument gives it, else its row",
    "plane": "(number from 1) | ('play')",
    "crosshair": "(x, y): 0-based native pixels",
    "mask": "(path): a mask image for the current frame",
    "photons": "('flags' | 'counts' | 'rate'): what is shown of a photon list",
    "photon-range": "('time' | 'value', low, high): which photons count; s, and nm or degrees",
    "mode": "(name): what the left mouse button does",
    "dock": "(key, shown)",
    "save-table": "('spectra' | 'fibers' | 'findings' | 'sources', path)",
    "samp": "(what): 'connect' | 'leave' the hub, or send it 'image' | 'table' | 'spectrum'",
    "save-image": "(format, path)",
    "save-session": "(path): the session into a file",
    "restore": "(path): a session of a file in place of what is open",
    "exit": "(): end the program with its exit code",
}
# A change of the look may go in front of these.
WITHOUT_LOOK = ("zoom", "pan", "rotate", "orient", "block", "regions", "traces", "fiber", "crosshair", "mask")


@dataclass(frozen=True)
class Step:
    """One thing to do: a verb of VERBS and its arguments."""

    verb: str
    args: tuple[Any, ...] = ()


class WindowOptions(NamedTuple):
    """What the window needs to know before it is made.

    Parameters
    ----------
    width, height : int or None
        Outer size in screen pixels.
    x, y : int or None
        Place on the screen; negative values count from the right and the bottom.
    title : str
        "" for the program's own.
    theme : str
        "auto", "light", "dark" or "" (as in the settings).
    fresh : bool
        Neither read nor write the saved layout and settings.
    log_level : str
        "" for none on the console.
    """

    width: int | None = None
    height: int | None = None
    x: int | None = None
    y: int | None = None
    title: str = ""
    theme: str = ""
    fresh: bool = False
    log_level: str = ""


@dataclass(frozen=True)
class Script:
    """A parsed command line.

    Parameters
    ----------
    steps : tuple of Step
        In order. What stood before the first file is already repeated for each file.
    window : WindowOptions
    look : tuple of (name, value)
        Fields of Look that stood before the first file; also for files opened later.
    warnings : tuple of str
        One line each, for stderr and the messages dock.
    wants : str
        "help" or "version" if one of these was asked for.
    """

    steps: tuple[Step, ...] = ()
    window: WindowOptions = WindowOptions()  # noqa: RUF009 (frozen)
    look: Fields = ()
    warnings: tuple[str, ...] = ()
    wants: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """The files, as they were typed."""
        return tuple(step.args[0] for step in self.steps if step.verb == "open")

    @property
    def exits(self) -> bool:
        """Whether the script ends the program (a headless run)."""
        return any(step.verb == "exit" for step in self.steps)


class Words:
    """The words that are left, taken from the front."""

    def __init__(self, argv: list[str]) -> None:
        self._words = argv
        self._next = 0
        self.option = ""

    def __bool__(self) -> bool:
        return self._next < len(self._words)

    def push(self, word: str) -> None:
        """Put one word back in front."""
        self._words = [word, *self._words[self._next :]]
        self._next = 0

    def peek(self) -> str:
        """The next word, "" at the end."""
        return self._words[self._next] if self else ""

    def take(self, what: str = "a value") -> str:
        """The next word; UsageError if there is none."""
        if not self:
            raise UsageError(f"{what} is missing", self.option, "see ifuview --help")
        self._next += 1
        return self._words[self._next - 1]

    def accept(self, *choices: str) -> str:
        """Take the next word if it is one of `choices` (any case), else return ""."""
        word = self.peek().lower()
        if word not in choices:
            return ""
        self._next += 1
        return word

    def is_number(self) -> bool:
        """Whether the next word is a number (nan and inf are not)."""
        return _number(self.peek()) is not None

    def number(self, what: str = "a number") -> float:
        """Take a number; UsageError if the word is none."""
        word = self.take(what)
        value = _number(word)
        if value is None:
            raise UsageError(f"{word!r} is not {what}", self.option, "see ifuview --help")
        return value

    def switch(self, default: bool = True) -> bool:
        """Take an optional yes or no."""
        word = self.accept("yes", "true", "on", "1", "no", "false", "off", "0")
        return word in ("yes", "true", "on", "1") if word else default


class Writer:
    """Collects the steps and keeps ds9's rule about options before the first file."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.window: dict[str, Any] = {}
        self.look: dict[str, object] = {}  # before the first file: for all files
        self.each: dict[str, Step] = {}  # the same for everything else that belongs to a file
        self.opened = False
        self.ignored: list[str] = []
        self.unknown: list[str] = []
        self.wants = ""

    def open(self, spec: str, *, every: bool = False, cube: bool = False) -> None:
        """Open a file with all that holds for every file."""
        self.opened = True
        self.steps.append(Step("open", (spec, every, cube, tuple(self.look.items()))))
        self.steps.extend(self.each.values())

    def set_look(self, **values: object) -> None:
        """Change fields of the look of the file just opened, or of all to come."""
        if not self.opened:
            self.look.update(values)
            return
        place = self._look_step()
        if place is None:
            self.steps.append(Step("look", tuple(values.items())))
            return
        last = self.steps[place]
        if last.verb == "open":  # part of the opening: the first paint is then right at once
            merged = {**dict(last.args[3]), **values}
            self.steps[place] = Step("open", (*last.args[:3], tuple(merged.items())))
        else:
            self.steps[place] = Step("look", tuple({**dict(last.args), **values}.items()))

    def known_look(self) -> dict[str, object]:
        """Fields of the look that are known to hold for the file just opened, or for all to come."""
        place = self._look_step() if self.opened else None
        if place is None:
            return dict(self.look)
        step = self.steps[place]
        return dict(step.args[3] if step.verb == "open" else step.args)

    def of_file(self, verb: str, *args: object) -> None:
        """A step for the file just opened, or for each file to come."""
        if self.opened:
            self.steps.append(Step(verb, args))
        else:
            self.each[verb] = Step(verb, args)

    def do(self, verb: str, *args: object) -> None:
        """A step for the whole window."""
        self.steps.append(Step(verb, args))

    def _look_step(self) -> int | None:
        """Index of the step that still sets the look of the current frame; None if something came between."""
        for place in range(len(self.steps) - 1, -1, -1):
            if self.steps[place].verb in ("open", "look"):
                return place
            if self.steps[place].verb not in WITHOUT_LOOK:
                return None
        return None

    def script(self) -> Script:
        """Everything collected."""
        warnings = []
        if self.ignored:
            warnings.append(f"these ds9 options do nothing here: {', '.join(dict.fromkeys(self.ignored))}")
        if self.unknown:
            warnings.append(f"unknown options are left out: {', '.join(dict.fromkeys(self.unknown))}")
        return Script(
            tuple(self.steps),
            WindowOptions(**self.window),
            tuple(self.look.items()),
            tuple(warnings),
            self.wants,
        )


def _number(word: str) -> float | None:
    """The finite number that `word` is, else None."""
    try:
        value = float(word)
    except ValueError:
        return None
    return value if value - value == 0 else None
