"""Shares and significances of the kernels against plain numpy."""

import numpy as np

from ifuview.engine.spectra.detect.kernels import combine, source_shares

STEP = 0.02


def tables():
    radius = np.arange(200) * STEP
    node = np.linspace(3500.0, 5500.0, 4)
    table = np.stack([[np.exp(-0.5 * (radius / w) ** 2) for w in 0.8 + 0.05 * np.arange(4) + e] for e in (0.0, 0.1)])
    return node, table, np.linspace(-0.3, 0.2, 4), np.linspace(0.1, -0.1, 4)


def plain(node, table, dx, dy, x, y, number, wave):
    ox, oy = np.interp(wave, node, dx), np.interp(wave, node, dy)
    value = [
        np.interp(np.hypot(x[k] - ox, y[k] - oy), np.arange(table.shape[2]) * STEP, row, right=0.0)
        for k in range(x.size)
        for row in [[np.interp(wave, node, column) for column in table[number[k]].T]]
    ]
    return np.array(value)


def test_shares_are_those_of_the_table_between_its_nodes():
    rng = np.random.default_rng(3)
    node, table, dx, dy = tables()
    x, y, number = rng.uniform(-3, 3, 30), rng.uniform(-3, 3, 30), rng.integers(0, 2, 30)
    wave, out = np.array([3500.0, 3712.0, 5499.0, 5500.0]), np.empty((30, 4))
    source_shares(table, node, dx, dy, STEP, x, y, number, wave, out)
    for n, one in enumerate(wave):
        inside = np.hypot(x - np.interp(one, node, dx), y - np.interp(one, node, dy)) < STEP * 198
        np.testing.assert_allclose(out[inside, n], plain(node, table, dx, dy, x, y, number, one)[inside], atol=1e-9)


def test_fibers_that_tell_little_are_left_out_for_less_than_a_percent_of_the_significance():
    rng = np.random.default_rng(4)
    node, table, dx, dy = tables()
    grid = np.linspace(3500.0, 5500.0, 101)
    edge = np.round(np.linspace(0, grid.size, node.size)).astype(np.intp)
    y = np.sort(rng.uniform(-4, 4, 60))
    x, number = rng.uniform(-4, 4, 60), rng.integers(0, 2, 60)
    share = np.empty((60, grid.size))
    source_shares(table, node, dx, dy, STEP, x, y, number, grid, share)
    top, bottom = share.astype(np.float32), np.ones_like(share, np.float32)
    snr, none = np.zeros((1, grid.size), np.float32), np.zeros((0, 0), np.float32)
    combine(
        top, bottom, np.arange(60), x, y, number, edge, dx, dy, table.astype(np.float32), STEP, np.zeros(1),
        np.zeros(1), np.arange(1), 0, grid.size, snr, none,
    )  # fmt: skip
    np.testing.assert_allclose(snr[0], np.sqrt((share**2).sum(axis=0)), rtol=0.01)
