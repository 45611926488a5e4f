"""`ifuview [options and files]`: the window. Its options are carried out from left to right, as in ds9."""

from __future__ import annotations

import sys

from ifuview.app.outside.display import choose_platform
from ifuview.commands.table import COMMANDS, VIEW
from ifuview.exit_codes import OK

SYNOPSIS = "ifuview [options, files and folders of exposures, carried out from left to right]"
OPTIONS = """\
An option before the first file holds for all files, later for the file before it.
One or two dashes, as you like; behind -- all words are files.
A file may bear an extension: f.fits[2], f.fits[SCI], f.fits[1][10:200,5:9].

limits      -zscale [contrast x]  -minmax  -scale 99.5  -scale limits LO HI  -scale match  -scale lock yes
transfer    -linear -log [exp n] -sqrt -squared -asinh -sinh -pow -histequ     (or -scale log ...)
colors      -cmap NAME  -cmap CONTRAST BIAS  -invert  -mask FILE  -mask color C  -mask transparency N
view        -zoom to fit | to N | N | in | out    -pan to X Y    -rotate 90    -orient x|y|xy|none
            -smooth yes|no|function F|radius R    -crosshair X Y    -cube N|play    -block N
frames      -frame next|prev|first|last|N|delete  -single  -tile [row|column|grid]
            -blink  -blink interval SECONDS       -lock WHAT [no]   -match WHAT
            WHAT: frame, scale, scalelimits, colorbar, crosshair, slice
            -multiframe FILE (all extensions)     -mecube FILE (extensions as a cube)
overlays    -regions FILE  -regions save FILE     -colorbar no  -panner no  -magnifier no
fibers      -traces FILE   -fiber N | 50:60,4 | "SPECTYPE=QSO, Z>4"
docks       -dock NAME (sky, spectrum, focal, tables: -saveimage writes that dock)     -header  -pixeltable  -graph open
window      -geometry WxH+X+Y  -width N  -height N  -title T  -theme light|dark  --fresh
files       -saveimage png OUT.png   -savetable spectra|fibers|findings|sources OUT.fits|.ecsv|.vot|.csv
            -backup SESSION.json   -restore SESSION.json   -exit
SAMP        --samp (topcat, Aladin, ds9)    -samp image|table|spectrum (send it)
a window that is open already:   ifuview --send FILES and options
desktop     --install-desktop [--user]   (entry, icon and file types)
other       --version  --help  --log-level debug|info|warning|error
"""


def view(words: list[str]) -> int:
    """Show files in the window, or say what `--help` and `--version` ask for."""
    if words[:1] in (["--send"], ["-send"]):
        return _send(words[1:])
    if words[:1] in (["--install-desktop"], ["-install-desktop"]):
        return _install_desktop(words[1:])
    from ifuview.app.script.parse import parse

    script = parse(words)
    if script.wants:
        from ifuview.commands.said import tell

        tell(_version() if script.wants == "version" else usage().rstrip("\n"))
        return OK
    choose_platform(headless=script.exits, wanted=not script.exits)
    from ifuview.gui.shell.app import run

    code: int = run(script)
    return code


def _send(words: list[str]) -> int:
    """Give files and options to the window that was opened last."""
    from ifuview.app.outside.door import send

    code, said = send(words)
    for text in said:
        print(f"ifuview: {text}", file=sys.stderr)
    return code


def _install_desktop(words: list[str]) -> int:
    """Put the program among those of the desktop."""
    from ifuview.app.outside.desktop import install
    from ifuview.errors import UsageError

    if words not in ([], ["--user"]):
        raise UsageError("takes --user or nothing", "--install-desktop", "see ifuview --help")
    for path in install(user=bool(words)):
        print(path)
    return OK


def usage() -> str:
    """The text of `ifuview --help`."""
    rows = {f"{name} {row.words}": row.title for name, row in COMMANDS.items() if name != VIEW}
    width = max(map(len, rows))
    lines = [f"       ifuview {words:<{width}}  {title}" for words, title in rows.items()]
    more = "Options of a command: ifuview COMMAND --help"
    return "\n".join([f"usage: {SYNOPSIS}", *lines, "", more, "", OPTIONS])


def _version() -> str:
    """Name and version."""
    from ifuview import __version__

    return f"ifuview {__version__}"
