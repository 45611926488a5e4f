"""The names of files as the chain of an instrument spells them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ifuview.model.chain_spec import ChainSpec

SUFFIX = r"\.fits(?:\.gz|\.fz)?"
NIGHT = re.compile(r"20\d{6}", re.ASCII)
NUMBER = re.compile(r"\d{8}", re.ASCII)
NOTHING = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Names:
    """Compiled patterns of a chain; what the chain does not name matches nothing."""

    chain: ChainSpec
    product: re.Pattern[str] = field(init=False)
    raw: re.Pattern[str] = field(init=False)
    log: re.Pattern[str] = field(init=False)
    tiles: tuple[re.Pattern[str], ...] = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "product", _file(self.chain.file))
        put(self, "raw", _file(self.chain.raw_file))
        put(self, "log", re.compile(self.chain.logs, re.ASCII) if self.chain.logs else NOTHING)
        put(self, "tiles", tuple(_file(pattern) for pattern in self.chain.tile_files))


def _file(pattern: str) -> re.Pattern[str]:
    """The name of a FITS file, packed or not."""
    return re.compile(f"(?:{pattern}){SUFFIX}", re.ASCII) if pattern else NOTHING
