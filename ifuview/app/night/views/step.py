"""A step of the reduction: what it was made with and can be made with, what it comes to, and its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ifuview.app.session import Session
from ifuview.engine.context import JobContext
from ifuview.model.figure import Figure
from ifuview.model.frames.units import unit_words
from ifuview.model.reduction.params import ParamField, Value, fields_of
from ifuview.model.verdict import VerdictState

UNASKED = "not judged: no test looks at this step"


@dataclass(frozen=True, slots=True)
class FormField:
    """A parameter of a step: its name, how it is shown, its value now and by itself."""

    name: str
    field: ParamField
    value: Value
    default: Value


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A number before the last change and now, as they are written; before is "" where nothing was changed."""

    name: str
    before: str
    now: str
    change: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class StepView:
    """Everything on the dock but the figures, which come as the answer of `job`.

    Parameters
    ----------
    step, title : str
    steps : tuple of (name, title)
        That can be chosen.
    state : VerdictState
    text : str
        What the step was judged by, or why it is not there.
    form : tuple of FormField
    numbers : tuple of NumberRow
    busy : bool
        Steps are being made.
    change : str
        The last change, "" for none.
    can_compare : bool
        There is a step that is another one than before the change.
    """

    step: str
    title: str
    steps: tuple[tuple[str, str], ...]
    state: VerdictState
    text: str
    form: tuple[FormField, ...]
    numbers: tuple[NumberRow, ...]
    busy: bool
    change: str
    can_compare: bool


def inputs(session: Session) -> tuple[object, ...]:
    """What the view depends on."""
    return (session.reduction,)


def step_of(session: Session) -> str:
    """The step that is looked at: that on the canvas, else the one that tells most."""
    state = session.reduction
    if state is None:
        return ""
    if state.shown:
        return state.shown
    from ifuview.app.night.reduction.live.answers import telling_step

    return telling_step(state)


def make(session: Session) -> StepView | None:
    """The step on the canvas; None without a reduction."""
    state, step = session.reduction, step_of(session)
    if state is None or not step:
        return None
    verdict = next((one for one in state.verdicts if one.step == step), None)
    params, usual = state.params_of(step), None if state.recipe is None else state.recipe.step(step).params
    defaults = fields_of(usual)
    form = tuple(
        FormField(name, _offered(session, field, value), value, defaults[name][1])
        for name, (field, value) in fields_of(params).items()
    )
    return StepView(
        step=step,
        title=dict(state.plan).get(step, step),
        steps=tuple((s, t) for s, t in state.plan if s in state.steps),
        state=VerdictState.NOT_JUDGED if verdict is None else verdict.state,
        text=UNASKED if verdict is None else verdict.words or UNASKED,
        form=form,
        numbers=_numbers(session),
        busy=bool(state.running),
        change=state.change,
        can_compare=state.before is not None and not state.running,
    )


def _offered(session: Session, field: ParamField, value: Value) -> ParamField:
    """A field with what can be chosen here, where its recipe cannot know it."""
    from ifuview.app.night.reduction.live.answers import choices_of

    if not isinstance(value, str) or field.choices or session.reduction is None:
        return field
    return replace(field, choices=choices_of(session.reduction, value))


def _numbers(session: Session) -> tuple[NumberRow, ...]:
    """The numbers of now beside those of before."""
    from ifuview.app.night.reduction.live.answers import step_numbers as numbers

    state = session.reduction
    if state is None:
        return ()
    before = {} if state.before is None else {(n.step, n.name): n for n in numbers(state.before)}
    out = []
    for now in numbers(state):
        name = f"{now.name} ({unit_words(now.unit)})" if now.unit else now.name
        old = before.get((now.step, now.name))
        if old is None:
            out.append(NumberRow(name, "", now.text))
            continue
        change = f"{now.value - old.value:+.2g}" if old.text != now.text else ""
        out.append(NumberRow(name, old.text, now.text, change))
    return tuple(out)


def job(session: Session) -> Callable[[JobContext], tuple[Figure, ...]] | None:
    """The figures of the step, for the worker."""
    state, step = session.reduction, step_of(session)
    if state is None or not step:
        return None

    def figures(ctx: JobContext) -> tuple[Figure, ...]:
        from ifuview.app.night.reduction.live.answers import step_figures as figures_of

        assert state is not None
        return figures_of(state, step)

    return figures
