"""Colors that can be told apart, and that stand out on light and dark paper."""

from __future__ import annotations

# Okabe & Ito (2008), color universal design; the order puts what stands out on the background first
ON_LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
ON_DARK = ("#56B4E9", "#E69F00", "#2BBF93", "#E3A0C5", "#F0E442", "#F07A35")

CONTRAST = 3.0  # least ratio of a curve to the paper (WCAG 2, graphics)
MIDDLE = 0.18  # relative luminance that is as far from black as from white
STEP = 0.08  # of the way to black or white
NAMED = {
    "white": "#ffffff", "black": "#000000", "red": "#ff0000", "green": "#00ff00", "blue": "#0000ff",
    "cyan": "#00ffff", "magenta": "#ff00ff", "yellow": "#ffff00",
}  # fmt: skip


def rgb(name: str) -> tuple[int, int, int]:
    """Red, green and blue of a color of a region; that of ds9's green for a name that is not known."""
    text = NAMED.get(name.lower(), name).lstrip("#")
    try:
        return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)
    except ValueError:
        return 0, 255, 0


def readable(name: str, paper: tuple[int, int, int] = (255, 255, 255)) -> str:
    """The color of a region (#rrggbb) so that it stands out on a paper; its hue stays."""
    color = rgb(name)
    goal = 255 if _luminance(paper) < MIDDLE else 0
    while _contrast(color, paper) < CONTRAST:
        color = tuple(round(v + STEP * (goal - v)) for v in color)  # type: ignore[assignment]
    return "#" + "".join(f"{v:02x}" for v in color)


def _contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    """Ratio of the luminances of two colors."""
    low, high = sorted(_luminance(c) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: tuple[int, int, int]) -> float:
    """Relative luminance, sRGB."""
    parts = [v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in color]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
