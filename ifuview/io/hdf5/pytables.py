"""Tables that PyTables opens: a dataset of records with the attributes that it looks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from h5py import Dataset, File

FORMAT, GROUP_VERSION, TABLE_VERSION = "2.1", "1.0", "2.7"  # as PyTables 3 writes them


def mark_root(file: File) -> None:
    """Give a new file the attributes of one of PyTables."""
    _put(file, {"CLASS": "GROUP", "PYTABLES_FORMAT_VERSION": FORMAT, "TITLE": "", "VERSION": GROUP_VERSION})


def new_table(file: File, name: str, dtype: np.dtype, rows: int, title: str = "", chunk: int = 1) -> Dataset:
    """Make a table whose rows are to be written.

    Parameters
    ----------
    file : File
        Open for writing, with `mark_root`.
    name : str
    dtype : dtype
        With named fields.
    rows : int
    title : str
    chunk : int
        Rows that are stored together.
    """
    table = file.create_dataset(name, (rows,), dtype, chunks=(max(1, min(chunk, rows)),), maxshape=(None,))
    said: dict[str, object] = {
        "CLASS": "TABLE", "VERSION": TABLE_VERSION, "TITLE": title, "NROWS": np.int64(rows), "FLAVOR": "numpy",
    }  # fmt: skip
    for n, field in enumerate(dtype.names or ()):
        said[f"FIELD_{n}_NAME"] = field
        base = dtype[field].base
        said[f"FIELD_{n}_FILL"] = "" if base.kind == "S" else np.zeros((), base)[()]
    _put(table, said)
    return table


def _put(node: File | Dataset, said: dict[str, object]) -> None:
    """Attributes, text as PyTables has it: of fixed length."""
    for name, value in said.items():
        node.attrs[name] = np.bytes_(value) if isinstance(value, str) else value
