"""Preferences survive a restart; a broken file never stops the program."""

from __future__ import annotations

import pytest

from ifuview import settings
from ifuview.settings import Settings


def test_what_is_saved_is_read_back(tmp_path):
    path = tmp_path / "deep" / "settings.toml"
    chosen = Settings(theme="dark", blink_ms=16, recent=('/d/a "b"\\c.fits', "/d/é\n.fits"))
    settings.save(chosen, path)
    assert settings.load(path) == (chosen, "")
    assert [p.name for p in path.parent.iterdir()] == ["settings.toml"]


def test_what_was_read_is_saved_again_when_another_file_was_opened(tmp_path):
    """Of the second start on: the recent files of this time join those of the last one."""
    path = tmp_path / "settings.toml"
    path.write_text('recent = ["/d/a.fits"]\n')
    before, note = settings.load(path)
    settings.save(before.opened("/d/b.fits"), path)
    assert not note and settings.load(path)[0].recent == ("/d/b.fits", "/d/a.fits")


def test_threads_may_be_left_to_the_cores(tmp_path):
    path = tmp_path / "s.toml"
    for text, threads, told in (("0", 0, False), ("3", 3, False), ("-1", 0, True)):
        path.write_text(f"threads = {text}\n")
        loaded, note = settings.load(path)
        assert loaded.threads == threads and bool(note) == told


def test_a_missing_file_means_defaults(tmp_path):
    assert settings.load(tmp_path / "none.toml") == (Settings(), "")


@pytest.mark.parametrize("text", ["theme = ", "\x00", "[[[", "theme = 'dark"])
def test_a_broken_file_gives_a_note_and_defaults(tmp_path, text):
    path = tmp_path / "s.toml"
    path.write_text(text)
    loaded, note = settings.load(path)
    assert loaded == Settings()
    assert str(path) in note


def test_values_that_make_no_sense_are_named(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text("theme = 'pink'\nblink_ms = -1\nwheel = 'center'\nunknown = 3\nrecent = 'x'\n")
    loaded, note = settings.load(path)
    assert loaded == Settings(wheel="center")
    assert "blink_ms, recent, theme" in note


def test_a_directory_in_the_way_is_no_crash(tmp_path):
    loaded, note = settings.load(tmp_path)
    assert loaded == Settings()
    assert note


def test_recent_files_are_newest_first_and_few():
    s = Settings()
    for n in range(30):
        s = s.opened(f"f{n}")
    s = s.opened("f28")
    assert s.recent[:3] == ("f28", "f29", "f27")
    assert len(s.recent) == settings.RECENT_KEPT


def test_the_folder_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("IFUVIEW_CONFIG", str(tmp_path))
    assert settings.default_path() == tmp_path / "settings.toml"
