"""The table of commands: usage, manual page and completion have all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ifuview import cli
from ifuview.commands import man, run, table, view


@pytest.mark.parametrize("name", [name for name in table.COMMANDS if name != table.VIEW])
def test_every_command_is_in_usage_manual_and_completion(name, capsys):
    assert cli.main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert table.COMMANDS[name].title.split()[0] in said
    assert f"ifuview {name} " in view.usage()
    page = man.page().replace("\\-", "-")
    assert f'.SS "ifuview {name}"' in page
    needed = [word for word in table.COMMANDS[name].words.split() if word.startswith("-")]
    assert set(needed) <= {option for action in run.arguments(run.parser(name)) for option in action.option_strings}
    for action in run.arguments(run.parser(name)):
        assert action.help, f"{name} does not say what {action.dest} is"
        for option in action.option_strings:
            assert option in said and f"\\fB{option}\\fR" in page


def test_no_command_is_left_out_of_the_table():
    folder = Path(table.__file__).parent
    found = {path for path in folder.rglob("*.py") if "\ndef options(" in path.read_text("utf-8")}
    listed = {folder / f"{row.module.replace('.', '/')}.py" for row in table.COMMANDS.values()}
    assert listed == found | {folder / "view.py"}
