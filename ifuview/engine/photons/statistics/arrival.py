"""Arrival times of a speckle pattern: Ic, Is and Ip from the gaps between photons, without any bins.

While the intensity I is the same over a gap g, a photon is followed by another after g with the density
<I^2 exp(-I g)> / <I>, and by none for longer than g with the chance S(g) = <I exp(-I g)> / <I>, where <> is the mean
over the modified Rician law of I (Walter et al. 2019). With u = 1 / (1 + Is g) both are rational in u:

    <I exp(-I g)>   = (Ic u^3 + Is u^2 + Ip u) exp(-Ip g - Ic g u)
    <I^2 exp(-I g)> = (Ic^2 u^5 + 4 Ic Is u^4 + (2 Is^2 + 2 Ip Ic) u^3 + 2 Ip Is u^2 + Ip^2 u) exp(-Ip g - Ic g u)

Two things are added to the published likelihood. Speckles change during long gaps, which then look too dark: of a gap
longer than `longest` only that it is longer is used. And gaps know ratios of the moments of I alone: the mean rate of
the record is held, within its photon noise. Gaps shorter than the dead time are left out by dividing by S(dead time).
All derivatives are rational: the fit is a Newton search with the exact Hessian.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ifuview.engine.photons.statistics.newton import IC, IP, IS, LOGLIKE, newton_step, write_errors
from ifuview.model.checks import Array

IP_GAIN = LOGLIKE + 1  # column of what ln L gains per photon/s of more Ip
MOST_STEPS = 60
PRECISION = 1e-9  # relative change of the likelihood that ends the search
SMALL_MOVE = 1e-5  # of the mean rate; the search ends when no intensity moves more
FEWEST_GAPS = 10
CHUNK = 16  # gaps whose arguments are multiplied before a logarithm is taken
LONGEST = 0.01  # s; speckles behind adaptive optics live for some 10 ms to 1 s


@njit(cache=True, nogil=True)
def fit_arrival(gaps: Array, rate: float, dead: float, longest: float, ip: float, out: Array) -> bool:
    """Find the highest likelihood by damped Newton steps; return whether it converged.

    Parameters
    ----------
    gaps : ndarray, float64, s
        At least `dead`; put into another order: those shorter than `longest` first.
    rate : float, photons per second
    dead, longest : float, s
    ip : float, photons per second
        Held fixed; below 0: fitted.
    out : ndarray, float64, shape (8,)
        Receives Ic, Is, Ip, their errors, ln L (columns IC to LOGLIKE), and IP_GAIN.
    """
    out[:] = np.nan
    total = len(gaps)
    if total < FEWEST_GAPS:
        return False
    short = 0
    for i in range(total):
        if gaps[i] < longest:
            gaps[short], gaps[i] = gaps[i], gaps[short]
            short += 1
    gaps = gaps[:short]
    law = (rate, total / (rate * rate), dead, float(total), longest, float(total - short))
    free_ip = ip < 0
    third = rate / 3
    par = np.array([third, third, third]) if free_ip else np.array([rate / 2, rate / 2, ip])
    count = 3 if free_ip else 2
    grad, hess = np.zeros(3), np.zeros((3, 3))
    derivatives(gaps, law, par[IC], par[IS], par[IP], grad, hess)
    best = log_likelihood(gaps, law, par[IC], par[IS], par[IP])
    damping = 0.0
    trial = par.copy()
    converged = False
    for _ in range(MOST_STEPS):
        change = newton_step(par, grad, hess, count, damping, trial)
        value = log_likelihood(gaps, law, trial[IC], trial[IS], trial[IP])
        if value >= best - 1e-12 * abs(best):
            converged = value - best < PRECISION * abs(best) and change < SMALL_MOVE * rate
            par[:], best = trial, value
            derivatives(gaps, law, par[IC], par[IS], par[IP], grad, hess)
            damping = damping * 0.1 if damping > 1e-3 else 0.0
            if converged:
                break
        else:
            damping = max(10 * damping, 1e-2)
            if damping > 1e12:
                break
    out[IC], out[IS], out[IP], out[LOGLIKE], out[IP_GAIN] = par[IC], par[IS], par[IP], best, grad[IP]
    write_errors(par, hess, count, rate, out)
    return converged


@njit(cache=True, nogil=True, fastmath=True)
def log_likelihood(gaps: Array, law: tuple[float, ...], ic: float, is_: float, ip: float) -> float:
    """Return ln L.

    Parameters
    ----------
    gaps : ndarray, s
        Those between dead time and longest.
    law : tuple
        Mean rate, inverse of its variance by photon noise, dead time, number of gaps,
        longest gap, number of longer ones.
    ic, is_, ip : float, photons per second
    """
    rate, spread, dead, total, longest, longer = law
    value = 0.0
    product = 1.0
    c5, c4, c3, c2, c1 = ic * ic, 4 * ic * is_, 2 * is_ * is_ + 2 * ip * ic, 2 * ip * is_, ip * ip
    scale = 1.0 / (rate * rate)  # keeps a product of arguments near 1
    for i in range(len(gaps)):
        g = gaps[i]
        u = 1.0 / (1.0 + is_ * g)
        value -= g * (ip + ic * u)
        product *= scale * u * (c1 + u * (c2 + u * (c3 + u * (c4 + u * c5))))
        if (i + 1) % CHUNK == 0 or product < 1e-250:
            value += np.log(max(product, 1e-300))
            product = 1.0
    value += np.log(max(product, 1e-300)) - len(gaps) * np.log(scale)
    off = ic + is_ + ip - rate
    return value + longer * _none(longest, ic, is_, ip) - total * _none(dead, ic, is_, ip) - 0.5 * off * off * spread


@njit(cache=True, nogil=True)
def _none(g: float, ic: float, is_: float, ip: float) -> float:
    """ln <I exp(-I g)>."""
    v = 1.0 / (1.0 + is_ * g)
    return np.log(max(v * (ip + v * (is_ + v * ic)), 1e-300)) - g * (ip + ic * v)


@njit(cache=True, nogil=True, fastmath=True)
def derivatives(
    gaps: Array, law: tuple[float, ...], ic: float, is_: float, ip: float, grad: Array, hess: Array
) -> None:
    """Write the gradient (3,) and the Hessian (3, 3) of ln L in the order Ic, Is, Ip. Arguments as above."""
    rate, spread, dead, total, longest, longer = law
    gc = gs = gr = cc = cs = cr = ss = sr = rr = 0.0
    for i in range(len(gaps)):
        g = gaps[i]
        u = 1.0 / (1.0 + is_ * g)
        u2 = u * u
        p = u * (ip * ip + u * (2 * ip * is_ + u * (2 * is_ * is_ + 2 * ip * ic + u * (4 * ic * is_ + u * ic * ic))))
        pu = ip * ip + u * (4 * ip * is_ + u * (6 * is_ * is_ + 6 * ip * ic + u * (16 * ic * is_ + 5 * u * ic * ic)))
        puu = 4 * ip * is_ + u * (12 * is_ * is_ + 12 * ip * ic + u * (48 * ic * is_ + 20 * u * ic * ic))
        psu = u * (4 * ip + u * (12 * is_ + 16 * u * ic))
        us = -g * u2
        inverse = 1.0 / (p + 1e-300)
        c = u2 * u * (2 * ip + u * (4 * is_ + 2 * u * ic)) * inverse
        s = (u2 * (2 * ip + u * (4 * is_ + 4 * u * ic)) + pu * us) * inverse
        r = u * (2 * ip + u * (2 * is_ + 2 * u * ic)) * inverse
        second = puu * us * us + 2 * psu * us + 2 * pu * g * g * u2 * u
        past = g * us  # minus g^2 u^2
        gc += c - g * u
        gs += s - ic * past
        gr += r - g
        cc += 2 * u2 * u2 * u * inverse - c * c
        cs += (4 * u2 * u2 + u2 * (6 * ip + u * (16 * is_ + 10 * u * ic)) * us) * inverse - c * s - past
        cr += 2 * u2 * u * inverse - c * r
        ss += (4 * u2 * u + second) * inverse - s * s + 2 * ic * past * g * u
        sr += (2 * u2 + (2 * ip + u * (4 * is_ + 6 * u * ic)) * us) * inverse - s * r
        rr += 2 * u * inverse - r * r
    off = (ic + is_ + ip - rate) * spread
    grad[0], grad[1], grad[IP] = gc - off, gs - off, gr - off
    hess[0, 0], hess[0, 1], hess[0, 2] = cc - spread, cs - spread, cr - spread
    hess[1, 1], hess[1, 2], hess[2, 2] = ss - spread, sr - spread, rr - spread
    _add_none(longest, longer, ic, is_, ip, grad, hess)
    _add_none(dead, -total, ic, is_, ip, grad, hess)
    hess[1, 0], hess[2, 0], hess[2, 1] = hess[0, 1], hess[0, 2], hess[1, 2]


@njit(cache=True, nogil=True)
def _add_none(g: float, times: float, ic: float, is_: float, ip: float, grad: Array, hess: Array) -> None:
    """Add the derivatives of `times` ln <I exp(-I g)>."""
    v = 1.0 / (1.0 + is_ * g)
    vs = -g * v * v
    vss = 2 * g * g * v * v * v
    inverse = 1.0 / (v * (ip + v * (is_ + v * ic)) + 1e-300)
    lv = ip + v * (2 * is_ + 3 * v * ic)
    c, s, r = v * v * v * inverse, (v * v + lv * vs) * inverse, v * inverse
    lss = 4 * v * vs + (2 * is_ + 6 * v * ic) * vs * vs + lv * vss
    grad[0] += times * (c - g * v)
    grad[1] += times * (s - g * ic * vs)
    grad[IP] += times * (r - g)
    hess[0, 0] -= times * c * c
    hess[0, 1] += times * (3 * v * v * vs * inverse - c * s - g * vs)
    hess[0, 2] -= times * c * r
    hess[1, 1] += times * (lss * inverse - s * s - g * ic * vss)
    hess[1, 2] += times * (vs * inverse - r * s)
    hess[2, 2] -= times * r * r
