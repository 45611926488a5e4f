"""Tables of HDF5 files as PyTables makes them, without PyTables: rows are added as they come, in bounded memory.

A table is a dataset of a compound type, its columns in alphabetical order, with the attributes that PyTables tells one
by (VERSION 2.7: any release since 2006 reads them).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ifuview.errors import UsageError
from ifuview.io.hdf5.writing import Disk
from ifuview.model.checks import Array

if TYPE_CHECKING:
    from h5py import Dataset, File, Group

TABLE_VERSION, GROUP_VERSION, FORMAT_VERSION = "2.7", "1.0", "2.1"
CHUNK_BYTES = 1 << 18  # of rows that are stored together, about
DEFLATE = 1  # level: the next ones take twice the time for some percent
Column = tuple[type[np.generic] | str, tuple[int, ...]]  # kind, and shape of one value


def describe_root(file: File, title: str) -> None:
    """Say that the file is one of PyTables."""
    _texts(file, {"CLASS": "GROUP", "PYTABLES_FORMAT_VERSION": FORMAT_VERSION, "TITLE": title,
                  "VERSION": GROUP_VERSION})  # fmt: skip


def row_type(columns: Mapping[str, Column]) -> np.dtype:
    """Type of a row, its columns in the order in which PyTables has them.

    Parameters
    ----------
    columns : mapping of str to (type, tuple of int)
        As in {"spectrum": (np.float32, (1036,)), "amp": ("S2", ())}.
    """
    return np.dtype([(name, np.dtype(kind), shape) for name, (kind, shape) in sorted(columns.items())])


class GrowingTable:
    """A table that rows are added to.

    Parameters
    ----------
    file : h5py.File
    disk : Disk
        Below the file, asked after each addition whether it took all.
    name : str
    columns : mapping
        As in `row_type`.
    title : str
    packed : bool
        Whether it is packed with zlib, which every reader knows.
    """

    def __init__(
        self, file: File, disk: Disk, name: str, columns: Mapping[str, Column], title: str = "", packed: bool = False
    ) -> None:
        self.dtype, self.nrow = row_type(columns), 0
        self._disk = disk
        rows = max(CHUNK_BYTES // self.dtype.itemsize, 1)
        options = {"compression": "gzip", "compression_opts": DEFLATE, "shuffle": True} if packed else {}
        self.node: Dataset = file.create_dataset(
            name, (0,), self.dtype, maxshape=(None,), chunks=(rows,), track_times=False, **options
        )
        _texts(self.node, {"CLASS": "TABLE", "VERSION": TABLE_VERSION, "TITLE": title})
        for number, column in enumerate(self.dtype.names or ()):
            _texts(self.node, {f"FIELD_{number}_NAME": column})
            base = self.dtype[column].base
            self.node.attrs.create(f"FIELD_{number}_FILL", np.zeros((), base)[()], dtype=_storable(base))
        self.node.attrs.create("NROWS", np.int64(0))

    def add(self, rows: Mapping[str, Array]) -> None:
        """Add rows, column by column; all of one length.

        Raises
        ------
        OSError
            The disk did not take them.
        UsageError
            Columns are missing, or of another shape.
        """
        names = self.dtype.names or ()
        missing = [name for name in names if name not in rows]
        if missing:
            raise UsageError(f"the table has no {', '.join(missing)}", self.node.name)
        count = len(rows[names[0]])
        out = np.zeros(count, self.dtype)
        for name in names:
            values = np.asarray(rows[name])
            if values.shape != (count, *self.dtype[name].shape):
                raise UsageError(f"{name} has shape {values.shape}, not {(count, *self.dtype[name].shape)}")
            out[name] = values
        self.add_rows(out)

    def add_rows(self, rows: Array) -> None:
        """Add rows of the table's own type."""
        if not rows.size:
            return
        self.node.resize((self.nrow + rows.size,))
        self.node[self.nrow : self.nrow + rows.size] = rows
        self.nrow += int(rows.size)
        self.node.attrs["NROWS"] = np.int64(self.nrow)
        self._disk.check()


def _storable(base: np.dtype) -> np.dtype:
    """A text of no characters takes one."""
    return np.dtype("S1") if base.kind == "S" else base


def _texts(node: Group | Dataset, texts: Mapping[str, str]) -> None:
    """Texts as attributes of fixed length."""
    for name, text in texts.items():
        data = text.encode("utf-8", "backslashreplace")
        if data:
            node.attrs.create(name, np.bytes_(data))
        else:
            import h5py

            node.attrs.create(name, h5py.Empty("S1"))
