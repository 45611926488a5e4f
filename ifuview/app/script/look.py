"""Options for limits, transfer, colors, smoothing and mask."""

from __future__ import annotations

from ifuview.app.script.common import Handler, positive
from ifuview.app.script.words import Words, Writer
from ifuview.errors import UsageError

TRANSFERS = {
    "linear": "linear",
    "log": "log",
    "pow": "pow",
    "sqrt": "sqrt",
    "squared": "squared",
    "asinh": "asinh",
    "sinh": "sinh",
    "histequ": "histequ",
    "histeq": "histequ",
}
COLOR_MAPS = {"gray": "grey", "bb": "heat", "blackbody": "heat"}
MASK_COLOR = {"red": "#ff3030", "green": "#30d030", "blue": "#3060ff", "yellow": "#ffe030", "cyan": "#30e0e0"}
SMOOTH = {"boxcar": "boxcar", "tophat": "boxcar", "gaussian": "gaussian", "elliptic": "gaussian"}


def _zscale(words: Words, out: Writer) -> None:
    """-zscale, -zscale contrast x (sample and line are ds9's own sampling and are passed over)."""
    out.set_look(limit_mode="zscale", lo=None, hi=None)
    while part := words.accept("contrast", "sample", "line"):
        value = words.number()
        if part == "contrast":
            out.set_look(zcontrast=positive(words, value))


def _minmax(words: Words, out: Writer) -> None:
    """-minmax, -minmax scan | sample | datamin | irafmin."""
    words.accept("scan", "sample", "datamin", "irafmin", "auto")
    if words.accept("mode"):
        words.take()
    out.set_look(limit_mode="minmax", lo=None, hi=None)


def _limits(words: Words, out: Writer) -> None:
    """-scalelimits lo hi."""
    lo, hi = words.number(), words.number()
    if not lo < hi:
        raise UsageError(f"the lower limit {lo:g} is not below the upper limit {hi:g}", words.option)
    out.set_look(limit_mode="user", lo=lo, hi=hi)


def _mode(words: Words, out: Writer) -> None:
    """-scalemode zscale | zmax | minmax | user | N."""
    if words.is_number():
        percent = words.number()
        if not 0 < percent <= 100:
            raise UsageError(f"{percent:g} is not a percentage", words.option, "give a number above 0, up to 100")
        out.set_look(limit_mode="percentile", percent=percent, lo=None, hi=None)
    elif words.accept("minmax", "datamin", "irafmin"):
        out.set_look(limit_mode="minmax", lo=None, hi=None)
    elif words.accept("zscale", "zmax"):
        out.set_look(limit_mode="zscale", lo=None, hi=None)
    elif words.accept("user"):
        out.set_look(limit_mode="user")
    else:
        raise UsageError(f"{words.peek()!r} is no mode of the limits", words.option, "see ifuview --help")


def _scale(words: Words, out: Writer) -> None:
    """-scale with everything that ds9 takes after it."""
    word = words.peek().lower()
    if words.is_number() or word in ("zscale", "zmax", "minmax", "user") or words.accept("mode"):
        _mode(words, out)
    elif words.accept("limits"):
        _limits(words, out)
    elif words.accept("match"):
        words.accept("limits", "scalelimits")
        out.do("match", "limits")
    elif words.accept("lock"):
        words.accept("limits", "scalelimits")
        out.do("lock", "limits", words.switch())
    elif words.accept(*TRANSFERS):
        _transfer(TRANSFERS[word])(words, out)
    elif words.accept("scope", "datasec"):
        words.take()
    elif words.accept("open", "close"):
        out.do("dock", "limits", word == "open")
    else:
        raise UsageError(f"{words.peek()!r} is no scale", words.option, f"one of {', '.join(TRANSFERS)}")


def _transfer(name: str) -> Handler:
    """A bare -log, -asinh ...; -log exp n too."""

    def handler(words: Words, out: Writer) -> None:
        if name in ("log", "pow") and words.accept("exp"):
            out.set_look(exponent=positive(words, words.number()))
        out.set_look(transfer=name)

    return handler


def _one_limit(field: str) -> Handler:
    """-z1 lo, -z2 hi."""

    def handler(words: Words, out: Writer) -> None:
        out.set_look(limit_mode="user", **{field: words.number()})

    return handler


def _cmap(words: Words, out: Writer) -> None:
    """-cmap NAME | invert [yes|no] | contrast bias | value contrast bias | open | match | lock."""
    if words.accept("invert"):
        out.set_look(invert=words.switch())
    elif words.accept("match"):
        out.do("match", "colors")
    elif words.accept("lock"):
        out.do("lock", "colors", words.switch())
    elif words.accept("open", "close"):
        out.do("dock", "limits", True)
    elif words.accept("load", "file", "save", "tag", "delete"):
        words.take()
        out.ignored.append(words.option)
    elif words.accept("value") or words.is_number():
        out.set_look(contrast=positive(words, words.number()), bias=words.number())
    else:
        name = words.take("the name of a color map").lower()
        out.set_look(cmap=COLOR_MAPS.get(name, name))


def _smooth(words: Words, out: Writer) -> None:
    """-smooth [yes|no] | function f | radius r | sigma s."""
    if words.accept("function"):
        name = words.take("the name of a function").lower()
        if name not in SMOOTH:
            raise UsageError(f"{name!r} is no smoothing", words.option, f"one of {', '.join(SMOOTH)}")
        out.set_look(smooth=SMOOTH[name])
    elif words.accept("radius", "sigma", "radiusminor", "sigmaminor"):
        out.set_look(smooth_radius=positive(words, words.number()))
    elif words.accept("open", "close", "match"):
        return
    elif words.accept("lock", "angle"):
        words.take()
    else:
        on = words.switch()
        function = out.known_look().get("smooth", "gaussian")
        out.set_look(smooth=(function if function != "none" else "gaussian") if on else "none")


def _mask(words: Words, out: Writer) -> None:
    """-mask F | color c | transparency n."""
    if words.accept("color"):
        color = words.take("a color").lower()
        out.set_look(mask_color=MASK_COLOR.get(color, color))
    elif words.accept("transparency"):
        out.set_look(mask_opacity=1 - min(max(words.number(), 0), 100) / 100)
    elif words.accept("mark", "system", "blend"):
        words.take()
    elif words.accept("range"):
        words.number()
        words.number()
    elif words.accept("clear"):
        out.set_look(mask_shown=0)
    elif words.accept("open", "close", "nomark"):
        return
    else:
        out.of_file("mask", words.take("a mask file"))


OPTIONS: dict[str, Handler] = {
    "zscale": _zscale,
    "minmax": _minmax,
    "scale": _scale,
    "ztrans": _scale,
    "z1": _one_limit("lo"),
    "z2": _one_limit("hi"),
    "zmin": _one_limit("lo"),
    "zmax": _one_limit("hi"),
    "scalelims": _limits,
    "scalelimits": _limits,
    "scalemode": _mode,
    **{name: _transfer(value) for name, value in TRANSFERS.items()},
    "cmap": _cmap,
    "invert": lambda words, out: out.set_look(invert=words.switch()),
    "smooth": _smooth,
    "mask": _mask,
}
