"""What a command says goes where somebody reads; else it is dropped, or a sentence says why not."""

from __future__ import annotations

import io
import os
import sys

import pytest

from ifuview.commands.said import tell
from ifuview.errors import UsageError

LONG = "x" * 1_000_000  # more than a pipe holds


@pytest.mark.parametrize("notes", [False, True])
@pytest.mark.parametrize("text", ["a line", LONG])
def test_what_nobody_reads_any_more_is_dropped(monkeypatch: pytest.MonkeyPatch, text: str, notes: bool) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stderr" if notes else "stdout", stream)
        tell(text, notes=notes)
        tell("and more", notes=notes)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device that is always full")
def test_a_full_disk_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(UsageError, match=r"cannot be written \(No space left"):
            tell("a line")


def test_it_is_said_in_order_with_a_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    tell("one")
    tell("two")
    assert out.getvalue() == "one\ntwo\n"
