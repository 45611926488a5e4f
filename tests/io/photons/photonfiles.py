"""Small photon lists of every layout, written by hand with h5py from known photons."""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np

NX, NY = 4, 3
START = 1_500_000_000
FLAGS = ("beammap.noDacTone", "beammap.failed", "pixcal.hot", "wavecal.bad")
MODERN = np.dtype([("resID", "<u4"), ("time", "<u4"), ("wavelength", "<f4"), ("weight", "<f4")])
OLD = np.dtype(
    [("ResID", "<u4"), ("Time", "<u4"), ("Wavelength", "<f4"), ("SpecWeight", "<f4"), ("NoiseWeight", "<f4")]
)


def ids() -> np.ndarray:
    """Resonator ids [x, y]; not in order of the pixels."""
    return (10_000 + (np.arange(NX * NY) * 7) % (NX * NY)).reshape(NX, NY)


def flags() -> np.ndarray:
    """Flags [x, y]."""
    out = np.zeros((NX, NY), np.int64)
    out[1, 2], out[3, 0] = 0b0101, 0b0010
    return out


def photons(n: int = 600, seconds: int = 3, seed: int = 5) -> np.ndarray:
    """Rows of the modern table, by (resonator, time)."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(n, MODERN)
    rows["resID"] = rng.integers(10_000, 10_000 + NX * NY - 1, n)  # the last has none
    rows["time"] = rng.integers(0, seconds * 1_000_000, n)
    rows["wavelength"] = rng.uniform(-150, -50, n)
    rows["weight"] = rng.uniform(0.5, 2, n)
    return np.sort(rows, order=("resID", "time"))


def pickled(names: tuple[str, ...]) -> bytes:
    """A tuple of words as the writer of the modern layout pickles it."""
    return b"(" + b"".join(b"V%b\np%d\n" % (name.encode(), i) for i, name in enumerate(names)) + b"t."


def write_modern(path: Any, rows: np.ndarray | None = None, names: Any = FLAGS, **attributes: Any) -> str:
    """A modern table, in chunks of ten rows."""
    rows = photons() if rows is None else rows
    with h5py.File(path, "w") as file:
        table = file.create_dataset("photons/photontable", data=rows, chunks=(10,), maxshape=(None,))
        file["beammap/map"], file["beammap/flag"] = ids(), flags()
        known = {"UNIXSTR": START, "EXPTIME": 3, "dead_time": 10, "energy_resolution": 0.1, "wavecal": h5py.Empty("S1")}
        if names is not None:
            known["flags"] = np.bytes_(pickled(names) if isinstance(names, tuple) else names)
        for key, value in {**known, **attributes}.items():
            table.attrs[key] = value
    return os.fspath(path)


def as_old(rows: np.ndarray) -> np.ndarray:
    """The same photons as rows of the old table; the weight is the product of two."""
    out = np.zeros(len(rows), OLD)
    out["ResID"], out["Time"], out["Wavelength"] = rows["resID"], rows["time"], rows["wavelength"]
    out["SpecWeight"], out["NoiseWeight"] = rows["weight"] / 2, 2
    return out


HEADER = np.dtype([("expTime", "<i4"), ("isWvlCalibrated", "u1"), ("metadata", "S400"), ("startTime", "<i4"),
                   ("target", "S80"), ("wvlBinEnd", "<f4"), ("wvlBinStart", "<f4"), ("wvlCalFile", "S80")])  # fmt: skip


def write_header(file: h5py.File, calibrated: bool = False, metadata: bytes = b"") -> None:
    """The header table of 2018 to 2021."""
    row = np.zeros(1, HEADER)
    row[0] = (3, calibrated, metadata, START, b"a star", 1400, 800, b"calsol.h5" if calibrated else b"")
    file["header/header"] = row


def write_consolidated(path: Any, rows: np.ndarray | None = None, kind: str = "u4", **header: Any) -> str:
    """A consolidated table."""
    with h5py.File(path, "w") as file:
        file.create_dataset("Photons/PhotonTable", data=as_old(photons() if rows is None else rows), chunks=(30,))
        file["BeamMap/Map"], file["BeamMap/Flag"] = ids().astype(kind), flags().astype(kind)
        write_header(file, **header)
    return os.fspath(path)


def write_pixels(path: Any, rows: np.ndarray | None = None, header: bool = False) -> str:
    """One table per resonator."""
    rows = as_old(photons() if rows is None else rows)
    with h5py.File(path, "w") as file:
        file["BeamMap/Map"], file["BeamMap/Flag"] = ids().astype("u4"), flags().astype("u4")
        for resonator in np.unique(rows["ResID"]):
            file.create_dataset(f"Photons/{resonator}", data=rows[rows["ResID"] == resonator], chunks=(10,))
        if header:
            write_header(file)
    return os.fspath(path)


def write_packed(path: Any, rows: np.ndarray, corrupt: bool = False, **storage: Any) -> str:
    """Packed words; resonator 10000 + p is pixel p of board 1. The value is the peak above the baseline."""
    words = rows["time"].astype(np.uint64) % 1_000_000 | np.uint64(100) << np.uint64(20)
    words |= (np.uint64(100) + (-rows["wavelength"]).astype(np.uint64)) << np.uint64(44)
    words |= np.uint64(7) << np.uint64(56)
    names = np.array([[f"/r1/p{i - 10_000}/t{START}".encode() for i in line] for line in ids().T])  # [row, column]
    names[0, 0] = b"/r0/p250/"
    with h5py.File(path, "w") as file:
        file["beammap/beamimage"] = names
        for name in names.ravel():
            pixel = int(name.split(b"/")[2][1:])
            if pixel == 250:
                continue
            node = file.create_dataset(name.decode(), (3,), h5py.vlen_dtype(np.uint64), **storage)
            for second in range(3):
                mine = (rows["resID"] == 10_000 + pixel) & (rows["time"] // 1_000_000 == second)
                node[second] = words[mine][::-1]
            if corrupt and pixel == 5:
                node[1] = np.array([1_000_000, 17], np.uint64)
        write_header(file)
    return os.fspath(path)
