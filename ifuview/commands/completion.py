"""`ifuview completion bash|zsh|fish`: completion of commands, options and their choices, made from the parsers."""

from __future__ import annotations

import shlex
from argparse import Action, ArgumentParser, Namespace

from ifuview.commands.run import arguments, parser
from ifuview.commands.said import Said
from ifuview.commands.table import COMMANDS, VIEW, Command
from ifuview.engine.context import JobContext

EPILOG = """\
bash: ifuview completion bash > ~/.local/share/bash-completion/completions/ifuview
zsh:  ifuview completion zsh > DIR/_ifuview, in a folder DIR of $fpath
fish: ifuview completion fish > ~/.config/fish/completions/ifuview.fish
"""
FIRST = ("install-desktop", "send", "user")  # words of the window that are no steps of a script
BASH = """\
_ifuview() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= command=${COMP_WORDS[1]}
    COMPREPLY=()
    if (( COMP_CWORD > 2 )); then
        case "$command ${COMP_WORDS[2]}" in
            %s) command="$command ${COMP_WORDS[2]}" ;;
        esac
    fi
    if [[ $cur == -* ]]; then
        case $command in
%s
        esac
    else
        case $command:$prev in
%s
        esac
    fi
    if [[ -z $words ]]; then
        [[ $COMP_CWORD == 1 ]] && words=%s
        COMPREPLY=($(compgen -f -- "$cur"))
    fi
    COMPREPLY+=($(compgen -W "$words" -- "$cur"))
}
complete -o filenames -F _ifuview ifuview"""
ZSH = """\
#compdef ifuview
_ifuview() {
    local -a commands
    commands=(
%s
    )
    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
        _describe command commands
        _files
        return
    fi
    local command=$words[2]
    case "$command $words[3]" in
        %s) (( CURRENT > 3 )) && { shift words; (( CURRENT-- )); command="$command $words[2]" } ;;
    esac
    case $command in
%s
    *) _arguments %s '*:file:_files' ;;
    esac
}
_ifuview "$@\""""


def options(out: ArgumentParser) -> None:
    """Add the options."""
    out.epilog = EPILOG
    out.add_argument("shell", choices=tuple(SHELLS), help="whose words to print")


def run(chosen: Namespace, _ctx: JobContext) -> Said:
    """Print the completion."""
    return Said(SHELLS[chosen.shell]())


def bash() -> str:
    """The completion for bash."""
    values, flags = [], []
    for name, made in _parsers():
        for action in arguments(made):
            if action.choices:
                last = [*action.option_strings] or [name.split()[-1]]
                at = "|".join(shlex.quote(f"{name}:{word}") for word in last)
                values.append(f"    {at}) words={shlex.quote(' '.join(map(str, action.choices)))} ;;")
        if more := _second_words(name):
            values.append(f"    {name}:{name}) words={shlex.quote(' '.join(more))} ;;")
        flags.append(f"        {shlex.quote(name)}) words={shlex.quote(' '.join(_flags(made)))} ;;")
    flags.append(f"        *) words={shlex.quote(' '.join(_of_window()))} ;;")
    return BASH % (
        _pairs(),
        "\n".join(flags),
        "\n".join(values),
        shlex.quote(" ".join(_words())),
    )


def zsh() -> str:
    """The completion for zsh."""
    rows = "\n".join(f"        {shlex.quote(f'{name}:{row.title}')}" for name, row in _words().items())
    cases = []
    for name, made in _parsers():
        specs = " ".join(shlex.quote(spec) for action in arguments(made) for spec in _zsh_specs(action))
        more = f"(( CURRENT == 3 )) && compadd {' '.join(words)}; " if (words := _second_words(name)) else ""
        cases.append(f"    {shlex.quote(name)}) {more}shift words; (( CURRENT-- )); _arguments {specs} ;;")
    return ZSH % (rows, _pairs(), "\n".join(cases), " ".join(shlex.quote(word) for word in _of_window()))


def fish() -> str:
    """The completion for fish."""
    at_first = "__fish_use_subcommand"
    lines = [_fish(at_first, f"-a {name}", row.title) for name, row in _words().items()]
    window = shlex.quote(f"not __fish_seen_subcommand_from {' '.join(_words())}")
    lines += [
        _fish(window, f"-{'l' if word.startswith('--') else 'o'} {word.lstrip('-')}", "") for word in _of_window()
    ]
    for name, made in _parsers():
        of = shlex.quote("; and ".join(f"__fish_seen_subcommand_from {word}" for word in name.split()))
        lines += [_fish(of, f"-f -a {word}", "") for word in _second_words(name)]
        lines += [_fish(of, part, action.help or "") for action in arguments(made) for part in _fish_parts(action)]
    return "\n".join(lines)


def _fish(condition: str, part: str, text: str) -> str:
    """One line of fish."""
    told = f" -d {shlex.quote(text.replace('%%', '%'))}" if text else ""
    return f"complete -c ifuview -n {condition} {part}{told}"


def _fish_parts(action: Action) -> list[str]:
    """How `complete` of fish names an option or the choices of a word."""
    words = shlex.quote(" ".join(map(str, action.choices))) if action.choices else ""
    value = "" if action.nargs == 0 else f" -x -a {words}" if words else " -r"
    if not action.option_strings:
        return [f"-f -a {words}"] if words else []
    return [f"-{'l' if name.startswith('--') else 'o' if len(name) > 2 else 's'} {name.lstrip('-')}{value}"
            for name in action.option_strings]  # fmt: skip


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}


def _parsers() -> list[tuple[str, ArgumentParser]]:
    """Of all commands but the window."""
    return [(name, parser(name)) for name in COMMANDS if name != VIEW]


def _second_words(first: str) -> list[str]:
    """What may follow a word to make another command."""
    return [name.removeprefix(f"{first} ") for name in COMMANDS if name.startswith(f"{first} ")]


def _pairs() -> str:
    """Commands of two words, as a pattern."""
    return "|".join(shlex.quote(name) for name in COMMANDS if " " in name)


def _words() -> dict[str, Command]:
    """Commands of one word."""
    return {name: row for name, row in COMMANDS.items() if " " not in name}


def _flags(made: ArgumentParser) -> list[str]:
    return [name for action in arguments(made) for name in action.option_strings]


def _of_window() -> list[str]:
    """The options of the window, with one dash and with two; of those with a ds9 abbreviation all the same."""
    from ifuview.app.script.options import OPTIONS

    return [f"{dashes}{name}" for dashes in ("-", "--") for name in sorted((*OPTIONS, *FIRST))]


def _zsh_specs(action: Action) -> list[str]:
    """How `_arguments` of zsh describes an option or a word."""
    what = f"({' '.join(map(str, action.choices))})" if action.choices else "_files"
    if not action.option_strings:
        return [f"*:{action.dest}:{what}" if action.nargs in ("+", "*") else f":{action.dest}:{what}"]
    text = (action.help or "").replace("%%", "%").replace("[", "(").replace("]", ")").replace(":", ";")
    count = action.nargs if isinstance(action.nargs, int) else 1
    return [f"{name}[{text}]" + f":{action.dest}:{what}" * count for name in action.option_strings]
