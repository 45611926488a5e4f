"""A recipe as a graph of steps: what each makes out of what, made once for the same inputs and parameters.

A step is a pure function. Its value is known by a key: the step, its parameters and the keys of what went in; nothing
that has such a key in the cache is made again. So another sky leaves traces and spectra as they are, and all
exposures of a night share their calibrations.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import IfuviewError, UsageError
from ifuview.model.checks import digest
from ifuview.model.night.triage import ranges
from ifuview.model.verdict import VerdictState
from ifuview.recipes.cache import ValueCache

OPTIONAL = "?"
NEEDS = "needs "
MOST_NAMED = 8  # runs of fibers, and spans of wavelength


@dataclass(frozen=True, slots=True)
class RecipeStep:
    """One value of a recipe.

    Parameters
    ----------
    name : str
        Of the step, and of the value that it makes.
    title : str
        For people.
    make : callable(params, ctx, *needed) -> object
    needs : tuple of str
        Names of steps and inputs; one that ends in "?" may be missing and is handed in as None.
    params : object
        Frozen dataclass with the defaults; None: there is nothing to choose.
    weight : float
        Its part of the time.
    """

    name: str
    title: str
    make: Callable[..., object]
    needs: tuple[str, ...] = ()
    params: object = None
    weight: float = 1.0

    def wanted(self) -> tuple[tuple[str, bool], ...]:
        """Name of each need and whether it may be missing."""
        return tuple((need.removesuffix(OPTIONAL), need.endswith(OPTIONAL)) for need in self.needs)


@dataclass(frozen=True, slots=True)
class Given:
    """An input: its value, and a key that is another one when the value is."""

    value: object
    key: str


class GivenUp:
    """Stands for a value that was made and is held no more."""


GIVEN_UP = GivenUp()


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step.

    Parameters
    ----------
    step : str
    value : object
        None where it could not be made, GIVEN_UP where it is held no more.
    key : str
    seconds : float
        That it took; 0 when it was there already.
    reason : str
        Why there is no value.
    """

    step: str
    value: object
    key: str
    seconds: float = 0.0
    reason: str = ""

    def given_up(self) -> StepResult:
        """The same without the value."""
        return self if self.value is None else dataclasses.replace(self, value=GIVEN_UP)


@dataclass(frozen=True, slots=True)
class StepVerdict:
    """What is known of one step.

    Parameters
    ----------
    step : str
    state : VerdictState
    text : str
        What was found or, where nothing was, what was looked at; with numbers.
    fibers : tuple of int
        That it is about, from 0.
    title : str
        Of the step, for people.
    waves : tuple of (float, float), Angstrom
        That it is about; none: all.
    sigma : float
        How sure it is; NaN where no error is known.
    """

    step: str
    state: VerdictState
    text: str
    fibers: tuple[int, ...] = ()
    title: str = ""
    waves: tuple[tuple[float, float], ...] = ()
    sigma: float = float("nan")

    @property
    def place(self) -> str:
        """Fibers as they are counted, wavelengths and significance; "": it is about all of them."""
        runs = ranges(tuple(f + 1 for f in self.fibers)).split(", ")
        ends = self.waves[:MOST_NAMED]
        spans = ", ".join(f"{low:.0f}-{high:.0f}" if high > low else f"{low:.1f}" for low, high in ends)
        fibers = f"{', '.join(runs[:MOST_NAMED])}{' ...' if len(runs) > MOST_NAMED else ''}"
        parts = [f"fiber{'s' * (len(self.fibers) > 1)} {fibers}"] if self.fibers else []
        parts += [f"{spans} \u00c5"] if spans else []
        parts += [f"{self.sigma:.0f} sigma"] if math.isfinite(self.sigma) else []
        return " \u00b7 ".join(parts)

    @property
    def words(self) -> str:
        """The text with the place."""
        return f"{self.text} ({self.place})" if self.place else self.text


@dataclass(frozen=True, slots=True)
class Recipe:
    """Steps in the order in which they are made.

    Parameters
    ----------
    name, title : str
    inputs : tuple of str
    steps : tuple of RecipeStep
    absent : mapping of str to str
        What is said where an input that is needed is not there, and what to do.

    Raises
    ------
    ValueError
        A step needs what neither comes before it nor is an input, or two have one name.
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    steps: tuple[RecipeStep, ...]
    absent: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = set(self.inputs)
        for step in self.steps:
            if missing := [name for name, _ in step.wanted() if name not in known]:
                raise ValueError(f"{self.name}: {step.name} needs {', '.join(missing)}, which is not made before it")
            if step.name in known:
                raise ValueError(f"{self.name}: there are two values named {step.name}")
            known.add(step.name)

    def step(self, name: str) -> RecipeStep:
        """The step of that name.

        Raises
        ------
        UsageError
            There is none.
        """
        for one in self.steps:
            if one.name == name:
                return one
        raise UsageError(
            f"there is no step {name[:80]!r}", self.name, f"it has {', '.join(s.name for s in self.steps)}"
        )

    def needed(self, wanted: Iterable[str] = (), known: Iterable[str] = ()) -> tuple[RecipeStep, ...]:
        """The steps that the wanted values rest on, those included, all without a wish; none that is known already."""
        there = set(known)
        names = {self.step(name).name for name in wanted} or {step.name for step in self.steps}
        chosen = []
        for step in reversed(self.steps):
            if step.name in names - there:
                chosen.append(step)
                names.update(name for name, _ in step.wanted())
        return tuple(reversed(chosen))

    def after(self, name: str) -> tuple[str, ...]:
        """The steps that have to be made again when that one, or that input, is another."""
        touched = {name}
        for step in self.steps:
            if touched & {need for need, _ in step.wanted()}:
                touched.add(step.name)
        return tuple(step.name for step in self.steps if step.name in touched)


@dataclass(frozen=True, slots=True)
class _Run:
    """What one run carries from step to step."""

    recipe: Recipe
    params: Mapping[str, object]
    cache: ValueCache
    ctx: JobContext
    found: dict[str, StepResult] = field(default_factory=dict)


def run(
    recipe: Recipe,
    given: Mapping[str, Given],
    params: Mapping[str, object] | None = None,
    wanted: Iterable[str] = (),
    cache: ValueCache | None = None,
    ctx: JobContext = SILENT,
    made: Callable[[StepResult], None] | None = None,
    known: Mapping[str, StepResult] | None = None,
) -> dict[str, StepResult]:
    """Make the wanted values and all that they rest on.

    Parameters
    ----------
    recipe : Recipe
    given : mapping of str to Given
        The inputs; one that is not there is missing.
    params : mapping of str to object
        Parameters by step, where they are not the defaults.
    wanted : iterable of str
        Steps. Default: all.
    cache : ValueCache, optional
        Where values are looked for and left.
    ctx : JobContext
    made : callable(StepResult), optional
        Told of each step as soon as it has ended.
    known : mapping of str to StepResult, optional
        Steps of an earlier run: neither they nor what they alone rest on are made.

    Returns
    -------
    mapping of str to StepResult
        With those that were known, in the order of the recipe. A step that cannot be made says why; what does not
        need it goes on.

    Raises
    ------
    UsageError
        Inputs, parameters or wishes that the recipe does not know.
    JobCancelled
    """
    params = params or {}
    for name in params:
        recipe.step(name)
    if unknown := sorted(set(given) - set(recipe.inputs)):
        raise UsageError(f"{recipe.name} has no input {', '.join(unknown)}", recipe.name, "see its inputs")
    steps = recipe.needed(wanted, known or ())
    state = _Run(recipe, params, cache or ValueCache(), ctx)
    state.found.update((name, StepResult(name, one.value, one.key)) for name, one in given.items())
    state.found.update(known or {})
    total, done = sum(step.weight for step in steps), 0.0
    for step in steps:
        ctx.checkpoint(done / total, step.title)
        part = ctx.part(done / total, (done + step.weight) / total)
        state.found[step.name] = one = _make(state, step, part)
        done += step.weight
        if made is not None:
            made(one)
    ctx.checkpoint(1.0, recipe.title)
    kept = {step.name for step in steps} | set(known or ())
    return {step.name: state.found[step.name] for step in recipe.steps if step.name in kept}


def _make(state: _Run, step: RecipeStep, ctx: JobContext) -> StepResult:
    """One step: out of the cache, made, or the reason why not."""
    values, keys = [], []
    for name, optional in step.wanted():
        one = state.found.get(name)
        if (one is None or one.value is None) and not optional:
            nothing = "there is none" if name in state.recipe.inputs else "it is not there"
            nothing = state.recipe.absent.get(name, nothing)
            why = one.reason if one is not None and one.reason else nothing
            why = why if why.startswith(NEEDS) else f"{NEEDS}{name}: {why}"  # where it began is enough
            return StepResult(step.name, None, "", 0.0, why)
        values.append(None if one is None else one.value)
        keys.append("" if one is None or one.value is None else one.key)
    params = state.params.get(step.name, step.params)
    key = _key(state.recipe.name, step.name, params, keys)
    there, value = state.cache.get(key)
    if there:
        return StepResult(step.name, value, key)
    start = time.perf_counter()
    try:
        value = step.make(params, ctx, *values)
    except UsageError:
        raise
    except (IfuviewError, ArithmeticError, np.linalg.LinAlgError) as error:
        return StepResult(step.name, None, "", time.perf_counter() - start, str(error))
    state.cache.put(key, value)
    return StepResult(step.name, value, key, time.perf_counter() - start)


def _key(recipe: str, step: str, params: object, keys: list[str]) -> str:
    """Key of a value: of what made it and what it was made of."""
    found = blake2b(digest_size=16)
    for text in (recipe, step, _written(params), *keys):
        found.update(text.encode("utf-8", "backslashreplace") + b"\0")
    return found.hexdigest()


def _written(params: object) -> str:
    """The parameters as text, arrays by the digest of their numbers."""
    if not dataclasses.is_dataclass(params):
        return repr(params)
    parts = []
    for one in dataclasses.fields(params):
        value = getattr(params, one.name)
        parts.append(f"{one.name}={digest(value) if isinstance(value, np.ndarray) else repr(value)}")
    return ", ".join(parts)
