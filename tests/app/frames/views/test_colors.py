"""Color tables by name."""

import numpy as np
import pytest

from ifuview.app.frames.views import colors
from ifuview.errors import MissingDataError


def test_every_map_loads_and_grey_is_first():
    names = colors.names()
    assert names[0] == "grey"
    assert {"viridis", "plasma", "inferno", "magma", "cividis", "heat", "cool", "sls", "rainbow", "coolwarm"} <= set(
        names
    )
    for name in names:
        table = colors.table(name)
        assert table.shape == (256,)
        assert (table >> 24 == 0xFF).all()


@pytest.mark.parametrize(("name", "ours"), [("Gray", "grey"), ("BB", "bb"), ("Viridis", "viridis"), ("aips0", "sls")])
def test_names_of_ds9_are_understood_in_any_case(name, ours):
    assert colors.known(name) == ours


def test_an_unknown_name_is_said_so():
    with pytest.raises(MissingDataError, match="no color map named nonsense"):
        colors.known("nonsense")


def test_grey_runs_from_black_to_white_and_inverts():
    grey = colors.table("grey")
    assert (int(grey[1]), int(grey[255])) == (0xFF000000, 0xFFFFFFFF)
    assert int(colors.table("grey", invert=True)[1]) == 0xFFFFFFFF


def test_bias_moves_and_contrast_steepens():
    steep = colors.table("grey", contrast=2.0) & 0xFF
    assert steep[64] == 0
    assert steep[192] == 255
    moved = colors.table("grey", bias=0.25) & 0xFF
    assert abs(int(moved[64]) - 128) <= 1


def test_the_blank_color_is_far_from_every_ramp():
    for name in colors.names():
        blank = colors.blank_color(name)
        rgb = np.array([blank >> s & 0xFF for s in (16, 8, 0)]) / 255
        assert np.linalg.norm(colors.ramp(name, np.linspace(0, 1, 255)) - rgb, axis=1).min() > 0.15, name


def test_viridis_rises_in_lightness():
    rgb = colors.ramp("viridis", np.linspace(0, 1, 50))
    assert (np.diff(rgb @ [0.2126, 0.7152, 0.0722]) > 0).all()


def test_diverging_maps_are_lightest_in_the_middle():
    for name in ("coolwarm", "rdbu"):
        light = colors.ramp(name, np.linspace(0, 1, 51)).sum(axis=1)
        assert light.argmax() in range(23, 28)
