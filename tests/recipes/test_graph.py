"""A recipe makes each value once for the same inputs, and only what depends on a change again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FitError, JobCancelled, UsageError
from ifuview.model.reduction.params import changed, fields_of, param
from ifuview.recipes.cache import ValueCache, nbytes
from ifuview.recipes.graph import GIVEN_UP, Given, Recipe, RecipeStep, StepResult, run


@dataclass(frozen=True)
class Factor:
    factor: float = param(2.0, "Factor", "e", 0.0, 10.0)
    kind: str = param("plain", "Kind", choices=("plain", "square"))


class Counted:
    """A recipe of four steps that counts how often each is made."""

    def __init__(self) -> None:
        self.count = dict.fromkeys(("bias", "flat", "sky", "cube"), 0)
        self.recipe = Recipe(
            "toy",
            "Toy",
            ("raw", "lamp", "guide"),
            (
                RecipeStep("bias", "Bias", self.bias, ("raw",)),
                RecipeStep("flat", "Flat", self.flat, ("lamp",)),
                RecipeStep("sky", "Sky", self.sky, ("bias", "flat", "guide?"), Factor()),
                RecipeStep("cube", "Cube", self.cube, ("sky",), weight=3.0),
            ),
        )

    def bias(self, params: None, ctx: JobContext, raw: np.ndarray) -> np.ndarray:
        self.count["bias"] += 1
        return raw - 1.0

    def flat(self, params: None, ctx: JobContext, lamp: np.ndarray) -> np.ndarray:
        self.count["flat"] += 1
        if not lamp.any():
            raise FitError("the lamp is dark", "lamp", "take another")
        return lamp / lamp.mean()

    def sky(
        self, params: Factor, ctx: JobContext, bias: np.ndarray, flat: np.ndarray, guide: object
    ) -> tuple[np.ndarray, object]:
        self.count["sky"] += 1
        return params.factor * bias / flat, guide

    def cube(self, params: None, ctx: JobContext, sky: tuple[np.ndarray, object]) -> np.ndarray:
        self.count["cube"] += 1
        return sky[0].sum(keepdims=True)


RAW, LAMP = Given(np.arange(1.0, 5.0), "raw 1"), Given(np.ones(4), "lamp 1")


def test_every_step_is_made_once_and_said() -> None:
    toy, said, parts = Counted(), [], []
    found = run(
        toy.recipe, {"raw": RAW, "lamp": LAMP}, made=said.append, ctx=JobContext(lambda part, _: parts.append(part))
    )
    assert [one.step for one in said] == ["bias", "flat", "sky", "cube"]
    assert found["cube"].value == 2.0 * (0 + 1 + 2 + 3)
    assert parts == sorted(parts) and parts[-1] == 1.0


def test_only_what_depends_on_a_change_is_made_again() -> None:
    toy, cache = Counted(), ValueCache()
    before = run(toy.recipe, {"raw": RAW, "lamp": LAMP}, cache=cache)
    after = run(toy.recipe, {"raw": RAW, "lamp": LAMP}, {"sky": Factor(3.0)}, cache=cache)
    assert toy.count == {"bias": 1, "flat": 1, "sky": 2, "cube": 2}
    assert after["cube"].value == 1.5 * before["cube"].value
    assert after["bias"].value is before["bias"].value
    back = run(toy.recipe, {"raw": RAW, "lamp": LAMP}, {"sky": Factor(2.0)}, cache=cache)
    assert back["cube"].value is before["cube"].value
    assert toy.recipe.after("sky") == ("sky", "cube") and toy.recipe.after("lamp") == ("flat", "sky", "cube")


def test_another_input_is_another_value_and_calibrations_stay() -> None:
    toy, cache = Counted(), ValueCache()
    run(toy.recipe, {"raw": RAW, "lamp": LAMP}, cache=cache)
    run(toy.recipe, {"raw": Given(np.ones(4), "raw 2"), "lamp": LAMP}, cache=cache)
    assert toy.count == {"bias": 2, "flat": 1, "sky": 2, "cube": 2}


def test_what_is_not_wanted_is_not_made() -> None:
    toy = Counted()
    assert set(run(toy.recipe, {"lamp": LAMP}, wanted=("flat",))) == {"flat"}
    assert toy.count["bias"] == 0


def test_a_step_that_fails_says_why_and_the_rest_goes_on() -> None:
    toy = Counted()
    found = run(toy.recipe, {"raw": RAW, "lamp": Given(np.zeros(4), "dark")})
    assert found["bias"].value is not None
    assert "the lamp is dark" in found["flat"].reason
    assert found["cube"].value is None and found["cube"].reason.startswith("needs flat: ")
    missing = run(toy.recipe, {"raw": RAW})
    assert missing["flat"].reason == "needs lamp: there is none"


def test_a_missing_guide_is_handed_in_as_none() -> None:
    toy = Counted()
    assert run(toy.recipe, {"raw": RAW, "lamp": LAMP}, wanted=("sky",))["sky"].value[1] is None  # type: ignore[index]


def test_cancelled_between_steps() -> None:
    toy, ctx = Counted(), JobContext()

    def stop(one: StepResult) -> None:
        if one.step == "flat":
            ctx.cancel()

    with pytest.raises(JobCancelled):
        run(toy.recipe, {"raw": RAW, "lamp": LAMP}, ctx=ctx, made=stop)
    assert toy.count["sky"] == 0


def test_names_that_are_not_known_are_refused() -> None:
    toy = Counted()
    with pytest.raises(UsageError, match="no step"):
        run(toy.recipe, {"raw": RAW}, wanted=("skye",))
    with pytest.raises(UsageError, match="no step"):
        run(toy.recipe, {"raw": RAW}, {"skye": Factor()})
    with pytest.raises(UsageError, match="no input"):
        run(toy.recipe, {"rew": RAW})
    with pytest.raises(ValueError, match="not made before it"):
        Recipe("circle", "", (), (RecipeStep("a", "", toy.bias, ("b",)), RecipeStep("b", "", toy.bias, ("a",))))


def test_the_cache_gives_up_what_was_not_used_for_longest() -> None:
    cache = ValueCache(3 * 800)
    for name in "abc":
        cache.put(name, np.zeros(100))
    assert cache.get("a")[0]
    cache.put("d", np.zeros(100))
    assert cache.get("a")[0] and not cache.get("b")[0] and cache.size == 2400
    cache.put("d", np.zeros(50))
    assert cache.size == 2000
    cache.put("huge", np.zeros(10**4))
    assert cache.get("huge")[0] and not cache.get("a")[0]


def test_an_array_that_is_there_twice_counts_once() -> None:
    one = np.zeros(100)
    assert nbytes((one, one[:50], {"more": np.zeros(10)})) == 880


def test_parameters_know_their_bounds() -> None:
    assert fields_of(Factor())["factor"][0].unit == "e"
    assert changed(Factor(), "sky", factor=3.0) == Factor(3.0)
    with pytest.raises(UsageError, match="from 0 to 10"):
        changed(Factor(), "sky", factor=11.0)
    with pytest.raises(UsageError, match="one of plain, square"):
        changed(Factor(), "sky", kind="round")
    with pytest.raises(UsageError, match="no parameter"):
        changed(Factor(), "sky", color=1.0)
    assert run(Counted().recipe, {"lamp": LAMP}, wanted=("flat",), ctx=SILENT)


def test_what_is_known_is_not_made_again_and_may_be_given_up() -> None:
    toy = Counted()
    first = run(toy.recipe, {"raw": RAW, "lamp": LAMP}, wanted=("flat",))
    light = {"flat": first["flat"], "bias": first["flat"].given_up()}
    found = run(toy.recipe, {"raw": RAW}, wanted=("sky",), known={"flat": first["flat"]})
    assert toy.count == {"bias": 1, "flat": 1, "sky": 1, "cube": 0}
    assert list(found) == ["bias", "flat", "sky"] and found["flat"] is first["flat"]
    assert light["bias"].value is GIVEN_UP and light["bias"].key == first["flat"].key
    assert StepResult("bias", None, "").given_up().value is None
