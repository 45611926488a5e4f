"""Figures of traces in the directions of the file: where an axis is flipped, plots would contradict the sentences."""

from __future__ import annotations

from dataclasses import replace

from ifuview.app.frames.views.text import along_axis
from ifuview.model.checks import Array
from ifuview.model.figure import Curve, Figure, Rule, Scale, Shade
from ifuview.model.image import Image

OFFSET = "Offset (px)"  # of light from its trace, in canonical axes


def as_filed(figure: Figure, image: Image) -> Figure:
    """The figure with places along the fibers, and offsets across them, as the file counts them."""
    lies = image.orientation
    if figure.x.label == along_axis(image) and lies.flip_disp:
        figure = _turned_x(figure, lies.shape(image.shape)[1] - 1)
    if figure.y.label != OFFSET:
        return figure
    figure = _turned_y(figure) if lies.flip_cross else figure
    label = f"Offset to larger {'x' if lies.transpose else 'y'} (px)"
    title = label if figure.title == OFFSET else figure.title
    return replace(figure, title=title, y=replace(figure.y, label=label))


def _turned_x(figure: Figure, top: float) -> Figure:
    """With the first place of x as the last one."""
    return replace(
        figure,
        x=_scale(figure.x, top),
        curves=tuple(replace(curve, x=top - curve.x) for curve in figure.curves),
        rules=tuple(_rule(rule, top, vertical=True) for rule in figure.rules),
        spans=tuple(_shade(span, top, vertical=True) for span in figure.spans),
    )


def _turned_y(figure: Figure) -> Figure:
    """With what is up below zero."""
    return replace(
        figure,
        y=_scale(figure.y, 0.0),
        curves=tuple(_curve(curve) for curve in figure.curves),
        rules=tuple(_rule(rule, 0.0, vertical=False) for rule in figure.rules),
        spans=tuple(_shade(span, 0.0, vertical=False) for span in figure.spans),
    )


def _curve(curve: Curve) -> Curve:
    def minus(values: Array | None) -> Array | None:
        return None if values is None else -values

    return replace(curve, y=-curve.y, low=minus(curve.high), high=minus(curve.low))


def _scale(scale: Scale, top: float) -> Scale:
    return scale if scale.range is None else replace(scale, range=(top - scale.range[1], top - scale.range[0]))


def _rule(rule: Rule, top: float, *, vertical: bool) -> Rule:
    return replace(rule, at=top - rule.at) if rule.vertical == vertical else rule


def _shade(span: Shade, top: float, *, vertical: bool) -> Shade:
    return replace(span, low=top - span.high, high=top - span.low) if span.vertical == vertical else span
