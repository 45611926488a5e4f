"""Progress of a command on a terminal."""

from __future__ import annotations

from ifuview.commands import run


def test_progress_is_one_line(capsys):
    bar = run.Progress()
    bar(0.5, "extracting")
    bar.close()
    err = capsys.readouterr().err
    assert " 50 % extracting" in err
    assert "\n" not in err
