"""Counts per time bin of a speckle pattern: blurred modified Rician with a Poisson part, its moments and its fit.

Light of constant intensity Ic (coherent), speckles Is and incoherent light Ip, all in photons per bin, give counts n
with the generating function

    G(z) = exp(-Ic w / (1 + Is w)) exp(-Ip w) / (1 + Is w),   w = 1 - z

(Goodman 1985; Cagigal & Canales 1999; Aime & Soummer 2004). Two things follow from it that keep everything here short
and stable. The differential equation of G is a three-term recurrence for P(n) of positive leading terms, run here with
a floating scale, so that neither Laguerre polynomials nor factorials appear and nothing overflows. And with the
operator D = -w / (1 + Is w), itself a first-order recurrence, the derivatives are

    dP/dIc = D P,   dP/dIs = D P + Ic D D P,   dP/dIp = P(n-1) - P(n)

and so on for the second ones: the fit is a Newton search with the exact Hessian. A fit needs the histogram of the
counts alone, of about max(n) numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ifuview.engine.photons.statistics.newton import FLOOR, IC, IP, IS, LOGLIKE, newton_step, write_errors
from ifuview.model.checks import Array

TOO_LARGE, TOO_SMALL = 1e200, 1e-200  # where the scale of the recurrence is moved
TINIEST = 1e-300  # floor of a probability before its logarithm
MOST_STEPS = 60  # of the Newton search; a dozen is usual
PRECISION = 1e-9  # relative change of the likelihood that ends the search


class RicianFit(NamedTuple):
    """Intensities in photons per bin with 1 sigma errors (NaN where one sits on its bound 0) and the likelihood."""

    ic: float
    is_: float
    ip: float
    ic_error: float
    is_error: float
    ip_error: float
    loglike: float
    converged: bool

    def per_second(self, width: float) -> RicianFit:
        """The same in photons per second for bins of `width` seconds."""
        return RicianFit(
            ic=self.ic / width, is_=self.is_ / width, ip=self.ip / width, ic_error=self.ic_error / width,
            is_error=self.is_error / width, ip_error=self.ip_error / width, loglike=self.loglike,
            converged=self.converged,
        )  # fmt: skip


def log_pmf(nmax: int, ic: float, is_: float, ip: float = 0.0) -> Array:
    """Return ln P(n) for n = 0..nmax.

    Parameters
    ----------
    nmax : int
    ic, is_, ip : float, photons per bin
        Not negative. With `is_` = 0 the law is Poisson with the mean `ic` + `ip`.

    Returns
    -------
    ndarray, shape (nmax + 1,)
    """
    out = np.empty(nmax + 1)
    fill_log_pmf(float(ic), float(is_), float(ip), out)
    return out


def pmf(nmax: int, ic: float, is_: float, ip: float = 0.0) -> Array:
    """Return P(n) for n = 0..nmax; see `log_pmf`."""
    return np.asarray(np.exp(log_pmf(nmax, ic, is_, ip)))


def log_likelihood(histogram: Array, ic: float, is_: float, ip: float = 0.0) -> float:
    """Return ln L of a histogram of counts (`numpy.bincount` of the light curve)."""
    hist = np.ascontiguousarray(histogram, dtype=np.float64)
    return float(hist @ log_pmf(len(hist) - 1, ic, is_, ip))


def moments(histogram: Array, ip: float = 0.0) -> RicianFit:
    """Return Ic and Is from mean and variance of the counts, with errors by propagation.

    Is^2 + 2 Ic Is + mean = variance and Ic + Is + Ip = mean, so Ic = sqrt((mean - Ip)^2 - (variance - mean)). Where
    the root is not real Ic is 0 and Is takes all; where the variance is below the mean Is is 0. The errors use the
    third and fourth moments of the sample.
    """
    hist = np.ascontiguousarray(histogram, dtype=np.float64)
    ic, is_, part, ic_error, is_error, ip_error = solve_moments(hist, float(ip))
    return RicianFit(
        ic=ic, is_=is_, ip=part, ic_error=ic_error, is_error=is_error, ip_error=ip_error,
        loglike=log_likelihood(hist, ic, is_, part), converged=True,
    )  # fmt: skip


def fit(histogram: Array, *, ip: float | None = 0.0) -> RicianFit:
    """Return the intensities of highest likelihood.

    Parameters
    ----------
    histogram : ndarray, shape (nmax + 1,)
        Number of bins that held n photons.
    ip : float, photons per bin, or None
        Incoherent light, held fixed; None: fitted too. Ic and Ip differ by the skewness of the counts only.

    Returns
    -------
    RicianFit
        Errors from the inverse Hessian over the intensities that are not on their bound.
    """
    hist = np.ascontiguousarray(histogram, dtype=np.float64)
    work = np.empty((6, len(hist)))
    out = np.empty(7)
    done = fit_histogram(hist, -1.0 if ip is None else float(ip), work, out)
    ic, is_, part, ic_error, is_error, ip_error, best = out.tolist()
    return RicianFit(
        ic=ic, is_=is_, ip=part, ic_error=ic_error, is_error=is_error, ip_error=ip_error, loglike=best,
        converged=bool(done),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def fill_log_pmf(ic: float, is_: float, ip: float, out: Array) -> None:
    """Write ln P(n), n = 0..len(out) - 1.

    a^2 (n+1) P(n+1) = (Ic + Is a (2n+1) + Ip a^2) P(n) - (Is^2 n + 2 a Is Ip) P(n-1) + Ip Is^2 P(n-2), a = 1 + Is.
    """
    a = 1.0 + is_
    q = is_ / a
    c = ic / (a * a)
    scale = -ic / a - np.log(a) - ip  # ln P(0); P below is in units of exp(scale)
    now, before, earlier = 1.0, 0.0, 0.0
    for n in range(len(out)):
        out[n] = scale + np.log(max(now, TINIEST))
        after = ((c + q * (2 * n + 1) + ip) * now - (q * q * n + 2 * q * ip) * before + ip * q * q * earlier) / (n + 1)
        now, before, earlier = max(after, 0.0), now, before
        if now > TOO_LARGE or (0.0 < now < TOO_SMALL):
            factor = 1.0 / now
            scale += np.log(now)
            now, before, earlier = 1.0, before * factor, earlier * factor


@njit(cache=True, nogil=True)
def _blur(values: Array, q: float, a: float, out: Array) -> None:
    """Apply D = -w / (1 + Is w): a out(n) = Is out(n-1) - values(n) + values(n-1)."""
    out[0] = -values[0] / a
    for n in range(1, len(values)):
        out[n] = q * out[n - 1] + (values[n - 1] - values[n]) / a


@njit(cache=True, nogil=True)
def derivatives(hist: Array, ic: float, is_: float, ip: float, work: Array, grad: Array, hess: Array) -> float:
    """Return ln L of a histogram; write its gradient (3,) and Hessian (3, 3) in the order Ic, Is, Ip.

    `work` is scratch of shape (>= 6, len(hist)).
    """
    size = len(hist)
    a = 1.0 + is_
    q = is_ / a
    fill_log_pmf(ic, is_, ip, work[0])
    top = -np.inf
    for n in range(size):
        top = max(top, work[0, n])
    total = 0.0
    p, d1, d2, d3, d4 = work[1, :size], work[2, :size], work[3, :size], work[4, :size], work[5, :size]
    for n in range(size):
        total += hist[n] * work[0, n]
        p[n] = np.exp(work[0, n] - top)
    _blur(p, q, a, d1)
    _blur(d1, q, a, d2)
    _blur(d2, q, a, d3)
    _blur(d3, q, a, d4)
    grad[:] = 0.0
    hess[:] = 0.0
    for n in range(size):
        if hist[n] == 0.0 or p[n] <= TINIEST:
            continue
        weight = hist[n]
        inverse = 1.0 / p[n]
        past = p[n - 1] if n > 0 else 0.0
        past2 = p[n - 2] if n > 1 else 0.0
        s_now = d1[n] + ic * d2[n]
        s_past = d1[n - 1] + ic * d2[n - 1] if n > 0 else 0.0
        c_past = d1[n - 1] if n > 0 else 0.0
        gc, gs, gp = d1[n] * inverse, s_now * inverse, (past - p[n]) * inverse
        grad[0] += weight * gc
        grad[1] += weight * gs
        grad[IP] += weight * gp
        hess[0, 0] += weight * (d2[n] * inverse - gc * gc)
        hess[0, 1] += weight * ((2 * d2[n] + ic * d3[n]) * inverse - gc * gs)
        hess[1, 1] += weight * ((2 * d2[n] + 4 * ic * d3[n] + ic * ic * d4[n]) * inverse - gs * gs)
        hess[0, 2] += weight * ((c_past - d1[n]) * inverse - gc * gp)
        hess[1, 2] += weight * ((s_past - s_now) * inverse - gs * gp)
        hess[2, 2] += weight * ((past2 - 2 * past + p[n]) * inverse - gp * gp)
    hess[1, 0], hess[2, 0], hess[2, 1] = hess[0, 1], hess[0, 2], hess[1, 2]
    return total


@njit(cache=True, nogil=True)
def size_and_mean(hist: Array) -> tuple[float, float]:
    """Number of bins of a histogram of counts, and the counts per bin; 0 of none."""
    size, total = 0.0, 0.0
    for n in range(len(hist)):
        size += hist[n]
        total += n * hist[n]
    return size, total / size if size > 0 else 0.0


@njit(cache=True, nogil=True)
def solve_moments(hist: Array, ip: float) -> tuple[float, float, float, float, float, float]:
    """Return Ic, Is, Ip and their errors from the moments of a histogram; see `moments`."""
    size, mean = size_and_mean(hist)
    if size < 2 or mean == 0:
        return 0.0, 0.0, ip, np.nan, np.nan, np.nan
    m2 = m3 = m4 = 0.0
    for n in range(len(hist)):
        d = n - mean
        m2 += hist[n] * d * d
        m3 += hist[n] * d * d * d
        m4 += hist[n] * d * d * d * d
    m2, m3, m4 = m2 / (size - 1), m3 / size, m4 / size
    light = max(mean - ip, 0.0)
    extra = m2 - mean
    if extra <= 0:
        return light, 0.0, ip, np.nan, np.nan, np.nan
    square = light * light - extra
    if square <= 0:
        return 0.0, light, ip, np.nan, np.sqrt(m2 / size), np.nan
    ic = np.sqrt(square)
    by_mean, by_var = (2 * light + 1) / (2 * ic), -1 / (2 * ic)
    var_mean, var_var, cov = m2 / size, max(m4 - m2 * m2, 0.0) / size, m3 / size
    ic_var = by_mean * by_mean * var_mean + by_var * by_var * var_var + 2 * by_mean * by_var * cov
    s_mean = 1 - by_mean
    is_var = s_mean * s_mean * var_mean + by_var * by_var * var_var - 2 * s_mean * by_var * cov
    return ic, light - ic, ip, np.sqrt(max(ic_var, 0.0)), np.sqrt(max(is_var, 0.0)), np.nan


@njit(cache=True, nogil=True)
def fit_histogram(hist: Array, ip: float, work: Array, out: Array) -> bool:
    """Find the highest likelihood by damped Newton steps; return whether it converged.

    Parameters
    ----------
    hist : ndarray, float64, shape (nmax + 1,)
    ip : float, photons per bin
        Held fixed; below 0: fitted.
    work : ndarray, float64, shape (>= 6, >= nmax + 1)
        Scratch.
    out : ndarray, float64, shape (7,)
        Receives Ic, Is, Ip, their errors, ln L: columns IC to LOGLIKE.
    """
    free_ip = ip < 0
    size, mean = size_and_mean(hist)
    out[:] = np.nan
    if size < 2 or mean == 0:
        out[IC : IP + 1] = 0.0
        return False
    seed = solve_moments(hist, 0.0 if free_ip else ip)
    par = np.array([max(seed[0], 0.02 * mean), max(seed[1], 0.02 * mean), ip])
    if free_ip:  # equal parts of what is not speckle
        par[IC] *= 0.5
        par[IP] = par[IC]
    count = 3 if free_ip else 2
    grad, hess = np.zeros(3), np.zeros((3, 3))
    best = derivatives(hist, par[IC], par[IS], par[IP], work, grad, hess)
    damping = 0.0
    converged = False
    trial = par.copy()
    for _ in range(MOST_STEPS):
        change = newton_step(par, grad, hess, count, damping, trial)
        fill_log_pmf(trial[IC], trial[IS], trial[IP], work[0, : len(hist)])
        value = 0.0
        for n in range(len(hist)):
            value += hist[n] * work[0, n]
        if value >= best - 1e-12 * abs(best):
            small = value - best < PRECISION * max(1.0, abs(best)) and change < 1e-5 * (mean + FLOOR)
            par[:] = trial
            best = derivatives(hist, par[IC], par[IS], par[IP], work, grad, hess)
            damping = damping * 0.1 if damping > 1e-3 else 0.0
            if small:
                converged = True
                break
        else:
            damping = max(10 * damping, 1e-2)
            if damping > 1e12:
                break
    out[IC], out[IS], out[IP], out[LOGLIKE] = par[IC], par[IS], par[IP], best
    write_errors(par, hess, count, mean, out)
    return converged
