"""Plain data out of a pickle, without running it.

Some writers of photon lists hide lists and time series in HDF5 attributes, and
object arrays in `.npz` files, as Python pickles. A pickle is a program; this
module is an interpreter of its own for that program (opcodes of the protocols
0 to 5, taken apart by `pickletools.genops`, which runs nothing) that can only
make plain data. Nothing is imported and nothing is called on behalf of the
file. Numbers of operations, sizes, nesting and what shared parts would grow to
are bounded, so that a hostile file ends in an error, soon.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable
from typing import Any

from ifuview.engine.context import SILENT, JobContext
from ifuview.errors import FileFormatError
from ifuview.io.safe import objects as make
from ifuview.io.safe.objects import Inert, check_extent, hashable

MAX_BYTES = 4 << 20  # an attribute of a photon list has some kB
MAX_OPS = 1 << 20  # operations of one attribute
MAX_TOLERANT_BYTES = 512 << 20  # a solution of a large array has some 100 MB
MAX_TOLERANT_OPS = 1 << 25
MAX_INT_BITS = 64  # longer numbers are for hash tricks only
MAX_MEMO = 1 << 22
OPS_AT_ONCE = 1 << 16  # between two checkpoints

CONSTANTS = {
    "NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": (), "INT": ..., "LONG": ..., "BININT": ...,
    "BININT1": ..., "BININT2": ..., "LONG1": ..., "LONG4": ..., "FLOAT": ..., "BINFLOAT": ..., "STRING": ...,
    "BINSTRING": ..., "SHORT_BINSTRING": ..., "UNICODE": ..., "BINUNICODE": ..., "BINUNICODE8": ...,
    "SHORT_BINUNICODE": ..., "BINBYTES": ..., "BINBYTES8": ..., "SHORT_BINBYTES": ..., "BYTEARRAY8": ...,
}  # fmt: skip
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def plain(data: bytes, *, max_bytes: int = MAX_BYTES, max_ops: int = MAX_OPS) -> object:
    """Decode a pickle of plain data: numbers, text, bytes, lists, tuples, dicts, numpy arrays.

    A `MetadataSeries` becomes {"times": [...], "values": [...]}.

    Parameters
    ----------
    data : bytes
        The whole pickle.
    max_bytes, max_ops : int
        Longer pickles are refused.

    Raises
    ------
    FileFormatError
        It is damaged, too large, or holds an object of any other class, which is named.
    """
    return _decode(data, False, max_bytes, max_ops, SILENT)


def opaque_tolerant(
    data: bytes,
    *,
    max_bytes: int = MAX_TOLERANT_BYTES,
    max_ops: int = MAX_TOLERANT_OPS,
    ctx: JobContext = SILENT,
) -> object:
    """Decode a pickle like `plain`, with an `Inert` in the place of every object of another class.

    Raises
    ------
    FileFormatError
        It is damaged or too large.
    """
    return _decode(data, True, max_bytes, max_ops, ctx)


def looks_pickled(data: bytes) -> bool:
    """Whether bytes could be a pickle at all: they end with its full stop, and begin with one of its first words."""
    return data.endswith(b".") and data[:1] in b"\x80(cl]})INTFVSLKJMXGUC" and len(data) > 1


def _decode(data: bytes, tolerant: bool, max_bytes: int, max_ops: int, ctx: JobContext) -> object:
    """Run the pickle on a machine that can do nothing else."""
    if len(data) > max_bytes:
        raise FileFormatError(f"a pickle of {len(data)} bytes is too large to be decoded (limit {max_bytes})")
    try:
        value = _Machine(tolerant, max_ops).run(data, ctx)
        check_extent(value, tolerant)
    except FileFormatError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, struct.error, Warning) as problem:
        raise FileFormatError(f"the pickled data are damaged ({type(problem).__name__}: {problem})") from problem
    return value


class _Machine:
    """The stack, the marks and the memo of one pickle."""

    def __init__(self, tolerant: bool, max_ops: int) -> None:
        self.rules, self.max_ops = make.Rules(tolerant), max_ops
        self.stack: list[object] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}

    def run(self, data: bytes, ctx: JobContext) -> object:
        """What the pickle leaves on the stack at its STOP."""
        for count, (code, arg, at) in enumerate(pickletools.genops(data)):
            if count >= self.max_ops:
                raise FileFormatError(f"a pickle of more than {self.max_ops} operations is not decoded")
            if count % OPS_AT_ONCE == 0:
                ctx.checkpoint((at or 0) / len(data), "decoding")
            name = code.name
            if name in CONSTANTS:
                self.stack.append(_constant(CONSTANTS[name], arg))
            elif name == "STOP":
                return self._finished(self.pop())
            else:
                step = _STEPS.get(name)
                if step is None:
                    raise FileFormatError(f"the pickle uses {name}, which is not allowed")
                step(self, arg)
        raise ValueError("no end")

    def pop(self) -> object:
        """Take the top; never past a mark."""
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise ValueError("the stack is empty")
        return self.stack.pop()

    def top(self) -> object:
        """The top, left where it is."""
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise ValueError("the stack is empty")
        return self.stack[-1]

    def since_mark(self) -> list[object]:
        """Take everything above the last mark, and the mark."""
        start = self.marks.pop()
        out = self.stack[start:]
        del self.stack[start:]
        return out

    def _finished(self, value: object) -> object:
        """A value that stands for data: no bare class, no unfinished array."""
        return make.finished(value)

    def put(self, key: int) -> None:
        """Remember the top."""
        if len(self.memo) >= MAX_MEMO:
            raise FileFormatError(f"a pickle with a memo of more than {MAX_MEMO} parts is not decoded")
        self.memo[key] = self.top()

    def extend(self, items: list[object]) -> None:
        """Append to the list (or list-like object) on the top."""
        target = self.top()
        items = [self._finished(item) for item in items]
        if isinstance(target, Inert):
            target.items.extend(items)
        elif type(target) is list:
            target.extend(items)
        else:
            raise ValueError("items for what is no list")

    def update(self, items: list[object]) -> None:
        """Set items, key and value in turn, of the dict (or dict-like object) on the top."""
        target = self.top()
        if len(items) % 2:
            raise ValueError("a key without a value")
        pairs = [(items[i], self._finished(items[i + 1])) for i in range(0, len(items), 2)]
        if isinstance(target, Inert):
            target.items.extend(pairs)
        elif type(target) is dict:
            target.update({hashable(key): value for key, value in pairs})
        else:
            raise ValueError("items for what is no dict")

    def put_class(self, module: str, name: str) -> None:
        """Push the marker of a class or function; the strict decoder knows a few and refuses the rest."""
        self.stack.append(make.named(module, name, self.rules))

    def stack_global(self) -> None:
        """A class whose name lies on the stack."""
        name, module = self.pop(), self.pop()
        if type(name) is not str or type(module) is not str:
            raise ValueError("a class name that is no text")
        self.put_class(module, name)

    def reduce(self, target: object, args: object) -> None:
        """What calling `target` would have made, if that is plain data."""
        if type(args) is not tuple:
            raise ValueError("arguments that are no tuple")
        self.stack.append(make.called(target, args, self.rules))

    def build(self) -> None:
        """Give the object on the top its state."""
        state = self._finished(self.pop())
        target = self.top()
        self.stack[-1] = make.built(target, state, self.rules)
        if isinstance(target, make.Unbuilt):
            target.final = self.stack[-1]  # the memo knows it as pending

    def get(self, key: int) -> None:
        """Push a remembered part."""
        value = self.memo[key]
        if isinstance(value, make.Unbuilt) and value.final is not None:
            value = value.final
        self.stack.append(value)


def _constant(constant: object, arg: object) -> object:
    """A number, a text or bytes; numbers of a sane length."""
    if constant is not ...:
        return constant
    if type(arg) is int and arg.bit_length() > MAX_INT_BITS:
        raise FileFormatError(f"a pickled number of {arg.bit_length()} bits is not decoded")
    return bytes(arg) if type(arg) is bytearray else arg


def _word(arg: str) -> tuple[str, str]:
    """Module and name of a GLOBAL or INST, which genops joins with a blank."""
    module, _, name = arg.partition(" ")
    return module, name


def _tuple(size: int) -> Callable[[_Machine, object], None]:
    """The step that makes a tuple of the top `size` parts."""

    def step(machine: _Machine, arg: object) -> None:
        parts = [machine._finished(machine.pop()) for _ in range(size)] if size > 0 else []
        machine.stack.append(tuple(reversed(parts)))

    return step


def _dict(machine: _Machine, items: list[object]) -> None:
    """A dict of keys and values in turn."""
    machine.stack.append({})
    machine.update(items)


def _instance(machine: _Machine, arg: object) -> None:
    """OBJ: class and arguments since the mark."""
    target, *args = machine.since_mark()
    machine.reduce(target, tuple(args))


def _old_instance(machine: _Machine, arg: str) -> None:
    """INST: arguments since the mark, class by name."""
    args = tuple(machine.since_mark())
    machine.put_class(*_word(arg))
    machine.reduce(machine.pop(), args)


def _reduce(machine: _Machine, arg: object) -> None:
    args = machine.pop()
    machine.reduce(machine.pop(), args)


def _new(machine: _Machine, arg: object) -> None:
    args = machine.pop()
    machine.stack.append(make.created(machine.pop(), args, machine.rules))


def _new_with_keywords(machine: _Machine, arg: object) -> None:
    keywords, args = machine.pop(), machine.pop()
    if type(args) is not tuple:
        raise ValueError("arguments that are no tuple")
    machine.stack.append(make.created(machine.pop(), (*args, keywords) if keywords else args, machine.rules))


def _plain_list(machine: _Machine, items: list[object]) -> None:
    """A list (sets become lists too)."""
    machine.stack.append([machine._finished(item) for item in items])


_STEPS: dict[str, Callable[[_Machine, Any], object]] = {
    "PROTO": lambda m, a: None,
    "FRAME": lambda m, a: None,
    "MARK": lambda m, a: m.marks.append(len(m.stack)),
    "POP": lambda m, a: m.since_mark() if m.marks and m.marks[-1] == len(m.stack) else m.pop(),
    "POP_MARK": lambda m, a: m.since_mark(),
    "DUP": lambda m, a: m.stack.append(m.top()),
    "PUT": lambda m, a: m.put(a),
    "BINPUT": lambda m, a: m.put(a),
    "LONG_BINPUT": lambda m, a: m.put(a),
    "MEMOIZE": lambda m, a: m.put(len(m.memo)),
    "GET": lambda m, a: m.get(a),
    "BINGET": lambda m, a: m.get(a),
    "LONG_BINGET": lambda m, a: m.get(a),
    "EMPTY_LIST": lambda m, a: m.stack.append([]),
    "EMPTY_DICT": lambda m, a: m.stack.append({}),
    "EMPTY_SET": lambda m, a: m.stack.append([]),
    "LIST": lambda m, a: _plain_list(m, m.since_mark()),
    "FROZENSET": lambda m, a: _plain_list(m, m.since_mark()),
    "TUPLE": lambda m, a: m.stack.append(tuple(m._finished(x) for x in m.since_mark())),
    "DICT": lambda m, a: _dict(m, m.since_mark()),
    "APPEND": lambda m, a: m.extend([m.pop()]),
    "APPENDS": lambda m, a: m.extend(m.since_mark()),
    "ADDITEMS": lambda m, a: m.extend(m.since_mark()),
    "SETITEM": lambda m, a: m.update([m.pop(), m.pop()][::-1]),
    "SETITEMS": lambda m, a: m.update(m.since_mark()),
    "GLOBAL": lambda m, a: m.put_class(*_word(a)),
    "STACK_GLOBAL": lambda m, a: m.stack_global(),
    "REDUCE": _reduce,
    "NEWOBJ": _new,
    "NEWOBJ_EX": _new_with_keywords,
    "INST": _old_instance,
    "OBJ": _instance,
    "BUILD": lambda m, a: m.build(),
    **{name: _tuple(size) for name, size in TUPLES.items()},
}
