"""Where a value came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Provenance:
    """Inputs, step and parameters that made a product."""

    inputs: tuple[str, ...] = ()
    step: str = ""
    params: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
