"""The recipe run on one channel of an exposure in the window: what there is, told step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ifuview.app.night.reduction.channel import ReducedChannel
from ifuview.app.night.reduction.elsewhere import nearest_star, star_given
from ifuview.app.night.reduction.run import root_of
from ifuview.app.night.reduction.setup import channel_setup, given, night_around
from ifuview.app.night.reduction.state import LRS2, ReductionState
from ifuview.app.night.virus.live import making as heads
from ifuview.app.night.virus.live.steps import NAME
from ifuview.app.night.virus.setup import VIRUS
from ifuview.engine.context import JobContext
from ifuview.instrument.tables import tables_for
from ifuview.model.night.raw import RawExposure, RawNight
from ifuview.recipes.cache import CACHE_BYTES, LastCaches, ValueCache
from ifuview.recipes.graph import StepResult, StepVerdict, run
from ifuview.recipes.lrs2.judge import judged
from ifuview.recipes.lrs2.recipe import RECIPE
from ifuview.recipes.lrs2.science import STAR, CurveParams

_CACHES = LastCaches(CACHE_BYTES)  # of the channel that was reduced last: another parameter finds its values there


def cache_of(state: ReductionState) -> ValueCache:
    """The values of the channel and night of a reduction."""
    return _CACHES.of(f"{state.camera} {state.folder}")[0]


def begun(
    folder: str, night: RawNight, raw: RawExposure, expid: int, camera: str, params: Mapping[str, object],
    ctx: JobContext,
) -> ReductionState:  # fmt: skip
    """What the steps of a channel are made from; nothing is made yet.

    Raises
    ------
    MissingDataError
        The exposure has nothing of the channel.
    """
    if night.instrument == VIRUS:
        return heads.begun(folder, night, raw, expid, camera, params, ctx)
    whole = night_around(root_of(folder, night), LRS2, raw.date, ctx)
    setup = channel_setup(tables_for(LRS2, "", whole.path, folder), raw, camera)
    inputs, notes = given(whole, setup, raw)
    return ReductionState(
        expid, camera, f"{raw.date}-{raw.observation:07d}-exp{raw.number:02d}", raw=raw, setup=setup, recipe=RECIPE,
        notes=(*setup.notes, *notes), params=params, given=inputs, running=RECIPE.steps[0].name, folder=whole.path,
    )  # fmt: skip


def _with_star(state: ReductionState, ctx: JobContext) -> ReductionState:
    """With the response of a standard star among what is given, where that is asked for."""
    wish = state.params_of("curve")
    if not (isinstance(wish, CurveParams) and wish.curve == STAR) or "star" in state.given:
        return state
    assert state.raw is not None
    night = night_around(state.folder, LRS2, state.raw.date, ctx.part(0.0, 0.1))
    tables = tables_for(LRS2, "", night.path)
    star = nearest_star(night, state.raw, state.camera, tables)
    cache = cache_of(state)
    given, said = star_given(night, star, state.camera, tables, state.params, ctx.part(0.1, 1.0), cache)
    return replace(state, given={**state.given, "star": given}, notes=(*state.notes, said))


def made(state: ReductionState, ctx: JobContext) -> ReductionState:
    """All steps made, judged and told to the context one by one; those whose inputs are as before are there at once.

    Raises
    ------
    IfuviewError, JobCancelled
    """
    if state.recipe is not None and state.recipe.name == NAME:
        return heads.made(state, ctx)
    state = _with_star(state, ctx.part(0.0, 0.3))
    assert state.setup is not None and state.raw is not None and state.recipe is not None
    found: dict[str, StepResult] = {}
    verdicts: list[StepVerdict] = []
    titles, setup = dict(state.plan), state.setup
    after = dict(zip(titles, (*list(titles)[1:], ""), strict=True))

    def tell(one: StepResult) -> None:
        found[one.step] = one
        verdicts.extend(replace(v, title=titles[v.step]) for v in judged(found, setup, (one.step,)))
        ctx.tell(replace(state, steps=dict(found), verdicts=tuple(verdicts), running=after[one.step]))

    steps = run(state.recipe, state.given, state.params, (), cache_of(state), ctx, tell)
    done = ReducedChannel(state.raw, state.setup, steps, state.notes)
    return replace(state, steps=steps, verdicts=tuple(verdicts), done=done, line=done.line, running="")
