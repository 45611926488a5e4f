"""Shells complete commands, options, their choices and files."""

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest

from ifuview.commands import completion


@pytest.mark.parametrize(
    "words, offered, not_offered",
    [
        (("diag",), {"diagnose"}, {"triage"}),
        (("diagnose", "--th"), {"--thresholds"}, {"--after"}),
        (("batch", "--sch"), {"--scheduler"}, set()),
        (("speckle", "a.h5", "--method", ""), {"binned", "arrival"}, {"a.h5"}),
        (("-zs",), {"-zscale"}, set()),
        (("report", "a"), {"a.fits"}, {"report"}),
        (("completion", ""), {"bash", "zsh"}, set()),
    ],
)
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_offers_what_fits(tmp_path, words, offered, not_offered):
    (tmp_path / "a.fits").touch()
    line = " ".join(shlex.quote(word) for word in ("ifuview", *words))
    asked = f'COMP_WORDS=({line}); COMP_CWORD={len(words)}; _ifuview; printf "%s\\n" "${{COMPREPLY[@]}}"'
    code = f"{completion.bash()}\n{asked}"
    found = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert found.stderr == ""
    assert offered <= set(found.stdout.split()) and not not_offered & set(found.stdout.split())


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_reads_its_completion():
    subprocess.run(["zsh", "-n", "-c", completion.zsh()], check=True)
