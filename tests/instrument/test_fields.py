"""Nothing stands in an instrument file that the program does not read."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from ifuview.model import product
from ifuview.model.chain_spec import ChainSpec
from ifuview.model.instrument import AmplifierSpec, CameraSpec, InstrumentSpec

PACKAGE = Path(__file__).resolve().parents[2] / "ifuview"
WRITERS = ("instrument/load.py", "instrument/products.py", "instrument/chain.py", "model/product.py", "gui/dialogs/")
PARTS = [getattr(product, name) for name in dir(product) if name.endswith("Spec")]


def read_somewhere() -> str:
    """The source of everything but what makes the specs and of dialogs."""
    files = (path for path in PACKAGE.rglob("*.py") if not str(path.relative_to(PACKAGE)).startswith(WRITERS))
    return "\n".join(path.read_text("utf-8") for path in files)


SOURCE = read_somewhere()


@pytest.mark.parametrize(
    "spec", [InstrumentSpec, CameraSpec, AmplifierSpec, ChainSpec, *PARTS], ids=lambda s: s.__name__
)
def test_every_field_is_read(spec: type) -> None:
    names = spec._fields if hasattr(spec, "_fields") else [field.name for field in fields(spec)]
    unread = [name for name in names if not re.search(rf"\.{name}\b", SOURCE)]
    assert not unread
