"""The log goes to one file and, from the wanted level on, to the console."""

from __future__ import annotations

from ifuview import log


def test_levels_and_file(tmp_path, capsys):
    path = log.set_up("warning", file=tmp_path / "sub" / "x.log")
    try:
        log.logger("io").info("quiet")
        log.logger("gui").warning("loud")
    finally:
        log.close()
    err = capsys.readouterr().err
    assert "loud" in err
    assert "quiet" not in err
    assert path is not None
    assert [line.split(": ")[-1] for line in path.read_text().splitlines()] == ["quiet", "loud"]


def test_a_folder_that_cannot_be_written_means_no_file(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    assert log.set_up("error", file=blocker / "sub" / "x.log") is None
    log.close()
