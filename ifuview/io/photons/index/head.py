"""The head of a photon index: what the list says of itself as plain JSON, and whether the file is the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import numpy as np

from ifuview.files import is_file
from ifuview.model.checks import Array
from ifuview.model.photons.lists import Beammap, PhotonColumn, PhotonInfo

SAMPLES, SAMPLE_BYTES = 64, 4096  # of a file, evenly over its length with both ends
LARGEST_ARRAY = 10_000  # elements of a header array that is kept
TUPLE, MAPPING, ARRAY = "tuple", "mapping", "array"


def fingerprint(path: str) -> dict[str, int | str]:
    """Size, time of change, and a digest of samples of a file; of the list of its files, of a folder."""
    if os.path.isdir(path):
        entries = sorted((e.name, e.stat().st_size, e.stat().st_mtime_ns) for e in os.scandir(path) if is_file(e))
        return {"size": sum(e[1] for e in entries), "mtime": 0, "digest": blake2b(repr(entries).encode()).hexdigest()}
    descriptor = os.open(path, os.O_RDONLY)
    try:
        state = os.fstat(descriptor)
        return {"size": state.st_size, "mtime": state.st_mtime_ns, "digest": samples(descriptor, state.st_size)}
    finally:
        os.close(descriptor)


def samples(descriptor: int, size: int) -> str:
    """Digest of blocks spread over an open file."""
    digest = blake2b(str(size).encode(), digest_size=16)
    last = max(size - SAMPLE_BYTES, 0)
    for i in range(SAMPLES if last else 1):
        digest.update(os.pread(descriptor, SAMPLE_BYTES, last * i // (SAMPLES - 1)))
    return digest.hexdigest()


def encode_info(info: PhotonInfo) -> tuple[dict[str, object], dict[str, Array]]:
    """What JSON can hold of the info, and its arrays."""
    plain = {f.name: encode(getattr(info, f.name)) for f in fields(info) if f.name not in ("path", "beammap")}
    beammap = info.beammap
    plain["flag_names"], plain["flag_notes"] = list(beammap.flag_names), dict(beammap.flag_notes)
    return plain, {"ids": beammap.ids, "index": beammap.index, "flags": beammap.flags}


def decode_info(plain: Mapping[str, Any], arrays: Mapping[str, Array], path: str) -> PhotonInfo:
    """The info again, of the file at `path`."""
    beammap = Beammap(
        arrays["ids"],
        arrays["index"],
        arrays["flags"],
        tuple(plain["flag_names"]),
        MappingProxyType(dict(plain["flag_notes"])),
    )
    known = {f.name for f in fields(PhotonInfo)} - {"path", "beammap"}
    values = {name: decode(value) for name, value in plain.items() if name in known}
    values["column"] = PhotonColumn(values["column"])
    return PhotonInfo(path=path, beammap=beammap, **values)


def encode(value: object) -> object:
    """A header value as JSON can hold it; what is no plain data becomes its text."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list):
        return [encode(v) for v in value]
    if isinstance(value, tuple):
        return {TUPLE: [encode(v) for v in value]}
    if isinstance(value, Mapping):
        return {MAPPING: [[encode(k), encode(v)] for k, v in value.items()]}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufSU" and value.size <= LARGEST_ARRAY:
        return {ARRAY: [value.dtype.str, [encode(v) for v in value.reshape(-1).tolist()], list(value.shape)]}
    return str(value)


def decode(value: object) -> Any:
    """The value that `encode` was given."""
    if isinstance(value, list):
        return [decode(v) for v in value]
    if not isinstance(value, dict):
        return value
    ((kind, held),) = value.items()
    if kind == TUPLE:
        return tuple(decode(v) for v in held)
    if kind == MAPPING:
        return MappingProxyType({decode(k): decode(v) for k, v in held})
    dtype, flat, shape = held
    return np.array(flat, dtype).reshape(shape)
