"""Where dialogs start."""

from __future__ import annotations

from pathlib import Path

import pytest

from ifuview.app import preferences
from ifuview.settings import Settings


def test_dialogs_start_where_the_settings_or_the_environment_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, own = tmp_path / "named", tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("MKID_DATA_DIR", str(named))
    try:
        preferences.use(Settings())
        assert preferences.data_folder() == ""  # it is not there
        named.mkdir()
        assert preferences.data_folder() == str(named)
        preferences.use(Settings(data=str(own)))
        assert preferences.data_folder() == str(own)
        own.rmdir()
        assert preferences.data_folder() == str(named)
    finally:
        preferences.use(Settings())
