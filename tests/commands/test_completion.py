"""Shells complete commands, options, their choices and files."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest

from ifuview.commands import completion


@pytest.fixture(scope="module")
def bash() -> str:
    return completion.bash()


@pytest.mark.parametrize(
    "words, offered, not_offered",
    [
        (("diag",), {"diagnose"}, {"triage"}),
        (("diagnose", "--th"), {"--thresholds"}, {"--after"}),
        (("batch", "--sch"), {"--scheduler"}, set()),
        (("speckle", "a.h5", "--method", ""), {"binned", "arrival"}, {"a.h5"}),
        (("-zs",), {"-zscale"}, set()),
        (("--se",), {"--send"}, set()),
        (("a.fits", "--zs"), {"--zscale"}, set()),
        (("--install-desktop", "--us"), {"--user"}, set()),
        (("report", "a"), {"a.fits"}, {"report"}),
        (("completion", ""), {"bash", "zsh", "fish"}, set()),
        (("reduce", "vi"), {"virus", "virus-cal"}, set()),
        (("reduce", "virus", "--simu"), {"--simulate"}, set()),
        (("reduce", "--si"), {"--sides"}, set()),
    ],
)
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_offers_what_fits(tmp_path, bash, words, offered, not_offered):
    (tmp_path / "a.fits").touch()
    line = " ".join(shlex.quote(word) for word in ("ifuview", *words))
    asked = f'COMP_WORDS=({line}); COMP_CWORD={len(words)}; _ifuview; printf "%s\\n" "${{COMPREPLY[@]}}"'
    code = f"{bash}\n{asked}"
    found = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert found.stderr == ""
    assert offered <= set(found.stdout.split()) and not not_offered & set(found.stdout.split())


def test_fish_has_a_line_for_every_command_option_and_choice():
    lines = completion.fish().splitlines()
    assert all(line.startswith("complete -c ifuview -n ") for line in lines)
    assert any("-a diagnose" in line for line in lines)
    assert any("__fish_seen_subcommand_from diagnose' -l thresholds -r" in line for line in lines)
    assert any("'bash zsh fish'" in line for line in lines)
    assert all(len(shlex.split(line)) >= 6 for line in lines)
    if (fish := shutil.which("fish")) is not None:
        subprocess.run([fish, "-n", "-c", completion.fish()], check=True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
@pytest.mark.parametrize(("typed", "offered"), [
    ("ifuview tri", "triage"), ("ifuview --se", "--send"), ("ifuview a.fits -zs", "-zscale"),
    ("ifuview triage --zs", ""),
    ("ifuview reduce virus-cal --make-", "--make-qa"),
])  # fmt: skip
def test_fish_offers_what_fits(tmp_path, typed, offered):
    (tmp_path / "ifuview.fish").write_text(completion.fish())
    code = f"source ifuview.fish; complete -C {shlex.quote(typed)}"
    done = subprocess.run(["fish", "--no-config", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert offered in done.stdout and bool(offered) == bool(done.stdout.strip())


ZSH = r"""
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PS1='READY> '; fpath=($PWD/functions \$fpath); autoload -Uz compinit; compinit -u -d $PWD/dump"
zpty -w shell "unsetopt beep; LISTMAX=9999; echo IS''SET"
zpty -r shell out '*ISSET*READY> ' || exit 1
for line; do
    zpty -w -n shell "$line"$'\t'
    zpty -w shell $'\C-uecho DO\'\'NE'
    zpty -r shell out '*DONE*READY> ' || exit 1
    print -r -- "$out"
done
"""


TYPED = {  # and what the line is then
    "ifuview diag": "ifuview diagnose ",
    "ifuview triage --aft": "ifuview triage --after ",
    "ifuview speckle a.h5 --method arr": "--method arrival ",
    "ifuview report a.f": "ifuview report a.fits ",
    "ifuview reduce virus-": "ifuview reduce virus-cal ",
    "ifuview reduce virus --simu": "ifuview reduce virus --simulate ",
    "ifuview -zsca": "ifuview -zscale ",
}


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_completes_what_is_typed(tmp_path):
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "_ifuview").write_text(completion.zsh())
    (tmp_path / "a.fits").touch()
    done = subprocess.run(
        ["zsh", "-f", "-c", ZSH, "zsh", *TYPED], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=True
    )
    seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.stdout)
    assert [offered for offered in TYPED.values() if offered not in seen] == []
