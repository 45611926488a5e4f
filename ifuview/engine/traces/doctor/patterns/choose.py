"""Which patterns are in the model: all combinations are tried, and each part must be significant beside the others."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ifuview.engine.traces.doctor.patterns.equations import Equations

MOST = 12  # blocks in the model
ODD = 1.25  # of the significance of a pattern, for a term of no known shape: there are many
LIKELY = 2  # blocks that are tried
SEVERAL = 3  # blocks that may be parts of something smooth
HIDING = 2  # blocks that may hide each other
TELLING = 1.5  # growth of what is left without a pattern that stands beside an error of no known shape


def choose(state: Equations, sigmas: float) -> list[int]:
    """Patterns of the model: the combination of smooth ones and blocks that explains most for their number.

    The scatter that a pattern must stand out of is that about the whole surface and the chosen blocks, so that two
    errors at once do not hide each other.
    """
    blocks: list[int] = []
    common, cost = _best_subset(state, blocks, sigmas)
    while len(blocks) < MOST:
        found = _more_blocks(state, _likely_blocks(state, common, blocks), blocks, cost, sigmas)
        if found is None:
            break
        common, cost, new = found
        blocks = [*new, *blocks]
    state.refer_to(blocks)
    return _prune(state, [*common, *blocks], sigmas)


def _best_subset(state: Equations, blocks: list[int], sigmas: float) -> tuple[list[int], float]:
    """The significant combination of smooth patterns that explains most for its number, beside blocks, and its cost."""
    state.refer_to(blocks)
    price = sigmas**2 * state.inflation()
    gain = np.concatenate([state.explained_by_each(s, blocks) for s in state.subsets])
    subsets = [s for group in state.subsets for s in group.tolist()]
    cost = price * (np.array([len(s) for s in subsets]) + len(blocks)) - gain
    for i in np.argsort(cost, kind="stable"):
        if _is_significant(state, [*subsets[i], *blocks], len(subsets[i]), sigmas):
            return subsets[i], float(cost[i])
    return [], 0.0


def _more_blocks(
    state: Equations, likely: list[int], blocks: list[int], cost: float, sigmas: float, number: int = 1
) -> tuple[list[int], float, tuple[int, ...]] | None:
    """The smooth patterns, the cost and the blocks of the best trial of likely ones; None where nothing stands out.

    Where one block explains much but does not stand out of the scatter of the others, another may be off as well.
    """
    tried = [(*_best_subset(state, [*blocks, *new], sigmas), new) for new in combinations(likely, number)]
    if not tried:
        return None
    better, least, new = min(tried, key=lambda t: t[1])
    if not least < cost:
        return None
    state.refer_to([*blocks, *new])
    if _is_significant(state, [*new, *blocks, *better], number, sigmas):
        return better, least, new
    return _more_blocks(state, likely, blocks, cost, sigmas, number + 1) if number < HIDING else None


def _is_significant(state: Equations, chosen: list[int], first: int, sigmas: float) -> bool:
    """Whether the first of the chosen patterns stand out of their errors."""
    beta, sigma = state.solve(chosen)
    return bool((np.abs(beta) >= sigmas * sigma)[:first].all())


def _likely_blocks(state: Equations, common: list[int], blocks: list[int]) -> list[int]:
    """Blocks that explain most beside what is chosen, and beside all smooth patterns."""
    left = [i for i in state.blocks if i not in blocks]
    out: dict[int, None] = {}
    each = np.array(left, np.intp)[:, None]
    for beside in ([*common, *blocks], blocks, [*range(state.nnamed, len(state.shapes)), *blocks]):
        best = np.argsort(-state.explained_by_each(each, beside))[:LIKELY]
        out.update(dict.fromkeys(each[best, 0].tolist()))
    return list(out)


def odd_terms(state: Equations, chosen: list[int], sigmas: float) -> list[int]:
    """Terms of the surface that stand out beside the chosen patterns, the most telling first."""
    odd: list[int] = []
    left = list(range(state.nnamed, len(state.shapes)))
    while left:
        best = left[int(np.argmax(state.explained_by_each(np.array(left)[:, None], [*chosen, *odd])))]
        left.remove(best)
        if not _is_significant(state, [best, *chosen, *odd], 1, ODD * sigmas):
            break
        odd.append(best)
    return odd


def smooth_instead(state: Equations, chosen: list[int], odd: list[int], sigmas: float) -> tuple[list[int], list[int]]:
    """Smooth patterns and terms of no known shape in the place of some blocks, where fewer of them explain as much."""
    blocks = [i for i in chosen if i in state.blocks]
    if len(blocks) < SEVERAL:
        return chosen, odd
    common = _best_subset(state, [], sigmas)[0]
    terms = odd_terms(state, common, sigmas)
    state.refer_to(blocks)
    price = sigmas**2 * state.inflation()
    more = len(chosen) + len(odd) - len(common) - len(terms)
    loss = state.explained([*chosen, *odd]) - state.explained([*common, *terms])
    return (common, terms) if terms and loss < price * more else (chosen, odd)


def every_block(state: Equations, otherwise: list[int], sigmas: float) -> list[int]:
    """All blocks, each with a shift of its own, and the smooth patterns beside them, where that explains the more.

    Parameters
    ----------
    otherwise : list of int
        Patterns, and terms of no known shape, that explain the same.
    """
    blocks = state.blocks
    if not blocks:
        return []
    chosen = [*_best_subset(state, blocks, sigmas)[0], *blocks]
    odd = odd_terms(state, chosen, sigmas)
    price = sigmas**2 * state.inflation()
    gain = state.explained(chosen) - state.explained(otherwise)
    return [] if odd or gain < price * (len(chosen) - len(otherwise)) else chosen


def telling(state: Equations, chosen: list[int]) -> list[int]:
    """Patterns that are more than a part of an error of no known shape: without them much more is left."""
    kept = list(chosen)
    while kept:
        trials = [[i for i in kept if i != j] for j in kept]
        best = max(trials, key=state.explained)
        if state.square - state.explained(best) > TELLING**2 * (state.square - state.explained(kept)):
            break
        kept = best
    return kept


def _prune(state: Equations, chosen: list[int], sigmas: float) -> list[int]:
    """Drop patterns that are no longer significant beside the others, the weakest first."""
    chosen = list(chosen)
    while chosen:
        beta, sigma = state.solve(chosen)
        pull = np.abs(beta) / sigma
        if pull.min() >= sigmas:
            break
        chosen.pop(int(pull.argmin()))
    return chosen
