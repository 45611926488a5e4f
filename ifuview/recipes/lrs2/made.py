"""The steps of one channel as far as they are made, as figures and numbers of them are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ifuview.recipes.graph import StepResult
from ifuview.recipes.lrs2.values import ChannelSetup


class MadeSteps(Protocol):
    """A reduction of a channel."""

    @property
    def steps(self) -> Mapping[str, StepResult]:
        """By step, in their order."""

    @property
    def setup(self) -> ChannelSetup | None:
        """What is known of the channel."""

    def value(self, step: str) -> object:
        """What a step has made; None where it has not."""
