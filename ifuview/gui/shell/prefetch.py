"""Reads the first file of the command line while Qt is still being loaded."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifuview.app.frames.opening.opened import Opened
    from ifuview.app.script.words import Fields
    from ifuview.engine.context import JobContext

PATIENCE = 0.25  # s, that the first picture may keep the window from being shown


class Prefetch:
    """One file, opened on a thread of its own from the very start of the program."""

    def __init__(self, spec: str, every: bool, cube: bool, fields: Fields) -> None:
        self.spec = spec
        self._args = (every, cube, fields)
        self._value: tuple[Opened, ...] | None = None
        self._news: object = None  # what is there before all is
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, name="ifuview prefetch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            from ifuview.app.frames.adding import look_of
            from ifuview.app.opening import open_images
            from ifuview.engine.context import JobContext

            every, cube, fields = self._args
            look = look_of(fields) if fields else None
            ctx = JobContext(told=lambda value: setattr(self, "_news", value))
            self._value = open_images(self.spec, every=every, cube=cube, look=look, ctx=ctx)
        except Exception as error:  # told to the user by whoever asks for the result
            self._error = error

    def ready(self) -> tuple[Opened, ...] | None:
        """What was opened, or None if that takes longer or went wrong."""
        self._thread.join(PATIENCE)
        return self._value

    def result(self, ctx: JobContext) -> tuple[Opened, ...] | None:
        """Wait for the end; raise what went wrong. A worker's job calls this."""
        while self._thread.is_alive():
            ctx.checkpoint(0.5, f"Reading {self.spec}")
            news, self._news = self._news, None
            if news is not None:
                ctx.tell(news)
            self._thread.join(0.05)
        if self._error is not None:
            raise self._error
        return self._value
