"""The manual page is one."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ifuview.commands import man


def test_the_manual_page_is_one_that_man_reads(tmp_path):
    (tmp_path / "ifuview.1").write_text(man.page())
    if shutil.which("groff") is None:
        pytest.skip("there is no groff")
    words = ["groff", "-man", "-ww", "-Tutf8", "-P-cbou", str(tmp_path / "ifuview.1")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "--thresholds" in done.stdout and "f.fits[SCI]" in done.stdout
