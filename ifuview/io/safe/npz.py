"""Members of an `.npz` file as plain data; object arrays through the restricted decoder, nothing unpickled."""

from __future__ import annotations

import io
import zipfile
import zlib
from math import prod

import numpy as np

from ifuview import memory
from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError, MissingDataError
from ifuview.inputs import regular_file
from ifuview.io.packed import CHUNK
from ifuview.io.safe.pickle import opaque_tolerant
from ifuview.model.checks import Array

MAX_MEMBER = 512 << 20  # bytes of one array
MAX_TOTAL = 1 << 30  # bytes of all that are read
MAX_MEMBERS = 1000
MAX_HEADER = 10_000  # bytes; as numpy bounds it
ZIP_MAGIC = b"PK\x03\x04"


def is_npz(path: str) -> bool:
    """Whether a file begins as a zip archive does."""
    regular_file(path)
    with open(path, "rb") as file:
        return file.read(len(ZIP_MAGIC)) == ZIP_MAGIC


def npz_names(path: str) -> tuple[str, ...]:
    """Names of the arrays in an `.npz` file."""
    with _archive(path) as archive:
        return tuple(_name(info) for info in _members(archive, path))


def read_npz(path: str, names: tuple[str, ...] | None = None, ctx: JobContext = SILENT) -> dict[str, Array]:
    """Read arrays of an `.npz` file.

    Parameters
    ----------
    path : str
    names : tuple of str, optional
        Members to read; those that are not there are left out. Default: all.
    ctx : JobContext, optional
        Cancels the decoding of objects.

    Returns
    -------
    dict
        Name to array. In an array of objects, what is no plain data is a `safe.objects.Inert`.

    Raises
    ------
    FileFormatError, MissingDataError
        The file is no `.npz`, damaged or too large when inflated.
    """
    out: dict[str, Array] = {}
    left = MAX_TOTAL
    with _archive(path) as archive:
        for info in _members(archive, path):
            name = _name(info)
            if names is not None and name not in names:
                continue
            if info.file_size > min(MAX_MEMBER, left):
                raise FileFormatError(f"the member {name} is too large ({info.file_size} bytes)", path)
            memory.check(info.file_size, f"the member {name}", path)
            left -= info.file_size
            out[name] = _member(archive, info, path, ctx)
    return out


def _archive(path: str) -> zipfile.ZipFile:
    regular_file(path)
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as problem:
        raise FileFormatError(f"is no readable npz file ({problem})", path) from problem


def _members(archive: zipfile.ZipFile, path: str) -> list[zipfile.ZipInfo]:
    found = [info for info in archive.infolist() if info.filename.endswith(".npy")]
    if len(found) > MAX_MEMBERS:
        raise FileFormatError(f"has {len(found)} members, more than any solution", path)
    if not found:
        raise MissingDataError("has no arrays", path)
    return found


def _name(info: zipfile.ZipInfo) -> str:
    return info.filename.removesuffix(".npy")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str, ctx: JobContext) -> Array:
    """One array, inflated no further than its entry says."""
    where = f"{path}: {_name(info)}"
    try:
        with archive.open(info) as file:
            data = bytearray()
            while len(data) < info.file_size and (part := file.read(min(CHUNK, info.file_size - len(data)))):
                ctx.check()
                data += part
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, EOFError) as problem:
        raise FileFormatError(f"is damaged ({problem})", where) from problem
    try:
        return npy_array(bytes(data), ctx)
    except FileFormatError as problem:
        raise FileFormatError(problem.what, where, problem.todo) from problem


def npy_array(data: bytes, ctx: JobContext = SILENT) -> Array:
    """The array of the bytes of an `.npy` file; objects as in `read_npz`."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, fortran, kind = np.lib.format.read_array_header_1_0(file, max_header_size=MAX_HEADER)
        elif version == (2, 0):
            shape, fortran, kind = np.lib.format.read_array_header_2_0(file, max_header_size=MAX_HEADER)
        else:
            raise ValueError(f"npy version {version}")
    except (ValueError, TypeError, OverflowError, MemoryError, RecursionError) as problem:
        raise FileFormatError(f"is no npy array ({str(problem)[:200]})") from problem
    body = memoryview(data)[file.tell() :]
    if kind.hasobject:
        return _objects(bytes(body), shape, ctx)
    if kind.itemsize == 0 or prod(shape) * kind.itemsize != len(body):
        raise FileFormatError(f"holds {len(body)} bytes where its header says {shape} of {kind}")
    return np.frombuffer(body, kind).reshape(shape, order="F" if fortran else "C")


def _objects(body: bytes, shape: tuple[int, ...], ctx: JobContext) -> Array:
    """An array of objects: its pickle is the whole array."""
    value = opaque_tolerant(body, ctx=ctx)
    if not isinstance(value, np.ndarray) or value.shape != tuple(shape):
        raise FileFormatError("its objects are not those its header announces")
    return value
