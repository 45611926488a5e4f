"""The restricted pickle decoder: plain data come out whole, and nothing of a hostile pickle runs."""

from __future__ import annotations

import collections
import contextlib
import io
import os
import pickle
import struct
import sys
import time
import tracemalloc
import types
import zipfile

import numpy as np
import pytest

from ifuview.engine.context import JobContext
from ifuview.errors import FileFormatError, JobCancelled, MissingDataError
from ifuview.io.safe.npz import read_npz
from ifuview.io.safe.objects import Inert
from ifuview.io.safe.pickle import looks_pickled, opaque_tolerant, plain

CPU_LIMIT = 10.0  # s of CPU for any hostile pickle; far above what is needed
MEMORY_LIMIT = 64 << 20  # bytes


class Runs:
    """An object whose unpickling would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


class Evaluates(Runs):
    def __reduce__(self):
        return eval, (f"open({self.path!r}, 'w').close()",)


def plain_values() -> dict:
    return {
        "scalars": [1, -3, 2.5, None, True, False, "", "\u2603", "line\nbreak", 2**40, b"\x00\xff", b""],
        "nested": ({"a": (1, (2, 3))}, [[], {}, ()]),
        "n": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "big": np.arange(3, dtype=">f8"),
        "text": np.array(["a", "bcd"]),
        "record": np.array([(1, 2.0)], dtype=[("r", "<f4"), ("w", ">i2")]),
        "none": np.zeros((0, 3)),
        "bools": np.array([True, False]),
        "scalar": np.float32(3.5),
        "ordered": collections.OrderedDict(a=1, b=[2]),
    }


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_come_out_whole(protocol):
    value = plain_values()
    found = plain(pickle.dumps(value, protocol))
    assert found["scalars"] == value["scalars"]
    assert found["nested"] == value["nested"]
    assert found["ordered"] == {"a": 1, "b": [2]}
    assert found["scalar"] == value["scalar"]
    for key in ("n", "fortran", "big", "text", "record", "none", "bools"):
        np.testing.assert_array_equal(found[key], value[key])
        assert found[key].dtype == value[key].dtype


@pytest.mark.parametrize("protocol", range(6))
def test_an_array_of_objects_keeps_its_objects(protocol):
    value = np.empty((2, 2), object)
    value[:] = [[None, {"x": 1}], ["text", [1, 2]]]
    found = plain(pickle.dumps(value, protocol))
    assert found.shape == (2, 2)
    assert found.tolist() == value.tolist()


@pytest.mark.parametrize("protocol", range(6))
def test_a_series_is_its_times_and_values(protocol, monkeypatch):
    module = types.ModuleType("somecore_metadata")
    exec("class MetadataSeries:\n    pass", module.__dict__)
    monkeypatch.setitem(sys.modules, "somecore_metadata", module)
    series = module.MetadataSeries()
    series.__dict__.update(times=[1.0, 2.0], values=["a", "b"])
    data = pickle.dumps([series, series], protocol)
    assert plain(data) == [{"times": [1.0, 2.0], "values": ["a", "b"]}] * 2


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", [Runs, Evaluates])
def test_nothing_of_a_hostile_pickle_runs(kind, protocol, tmp_path):
    marker = tmp_path / "it-ran"
    data = pickle.dumps({"harmless": [1, kind(os.fspath(marker))]}, protocol)
    with pytest.raises(FileFormatError, match=r"(system|eval).*not plain data"):
        plain(data)
    found = opaque_tolerant(data)["harmless"][1]
    assert isinstance(found, Inert)
    assert found.name in ("system", "eval")
    assert not marker.exists()
    pickle.loads(data)  # the pickle is a working one
    assert marker.exists()


HOSTILE = {
    "reduce": b"cos\nsystem\n(S'touch X'\ntR.",
    "instance": b"(S'touch X'\nios\nsystem\n.",
    "object": b"(cos\nsystem\nS'touch X'\no.",
    "class by stack": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.",
    "new object": b"\x80\x02csubprocess\nPopen\n(S'X'\nt\x81.",
    "import of a module": b"cthis\nd\n.",
    "getattr chain": b"cbuiltins\ngetattr\n(cos\nsystem\nS'x'\ntR.",
    "extension": b"\x80\x02\x82\x01.",
    "persistent id": b"Pname\n.",
    "out of band": b"\x80\x05\x97.",
    "class left as data": b"cnumpy\nndarray\n.",
    "reconstructor of a bad class": b"ccopy_reg\n_reconstructor\n(cos\nsystem\nc__builtin__\nobject\nNtR.",
    "array of pointers": pickle.dumps(np.zeros(2), 2).replace(b"f8", b"O8"),
}
DAMAGED = {
    "empty": b"",
    "no end": b"(l",
    "stack underflow": b"a.",
    "no mark": b"t.",
    "unknown memo": b"g5\n.",
    "unknown word": b"\xff\xfe.",
    "key without value": b"}(K\x01u.",
    "past the mark": b"]K\x01(a.",
    "list that is none": b"K\x01K\x02a.",
    "key that is a list": b"}]K\x01s.",
    "state without object": b"K\x01K\x02b.",
    "text of bad escapes": b"S'\\q\\8'\n.",
    "text of bad bytes": b"X\x02\x00\x00\x00\xff\xff.",
    "number that is none": b"Ixyz\n.",
    "cut off": pickle.dumps(np.arange(100.0), 2)[:-60],
    "array without state": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR.",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_plain_data_is_refused_with_its_reason(data):
    with pytest.raises(FileFormatError) as problem:
        plain(data)
    assert len(str(problem.value)) < 300


@pytest.mark.parametrize("data", [*HOSTILE.values(), *DAMAGED.values()], ids=[*HOSTILE, *DAMAGED])
def test_the_tolerant_decoder_gives_inert_parts_or_an_error(data):
    try:
        found = opaque_tolerant(data)
    except FileFormatError:
        return
    assert isinstance(found, (Inert, str))


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_pickle_is_an_error(data):
    with contextlib.suppress(FileFormatError):
        assert isinstance(plain(data), str)  # Python itself lets strange escapes pass


def laughs(levels: int, make: bytes = b"(%b%bl") -> bytes:
    """Lists of lists, each twice the one before."""
    out = b"(lp0\n"
    for level in range(levels):
        out += b"0" + make % (b"g%d\n" % level, b"g%d\n" % level) + b"p%d\n" % (level + 1)
    return out + b"."


BOMBS = {
    "deep lists": b"]" * 10_000 + b"a" * 9_999 + b".",
    "deep tuples": b")" + b"\x85" * 10_000 + b".",
    "deep dicts": b"}" * 10_000 + b".",
    "deep inert": b"cx\ny\n)R" * 8_000 + b"b" * 7_999 + b".",
    "billion laughs": laughs(40),
    "billion laughs in tuples": laughs(40, b"(%b%bt"),
    "laughing keys": b")p0\n" + b"".join(b"0g%d\ng%d\n\x86p%d\n" % (i, i, i + 1) for i in range(40)) + b"0}g40\nNs.",
    "contains itself": b"(lp0\ng0\na.",
    "dict in itself": b"}p0\nU\x01ag0\ns.",
    "huge text": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"x.",
    "huge bytes": b"\x80\x04\x8e" + struct.pack("<Q", (1 << 63) + 5) + b"x.",
    "huge number": b"\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20) + b".",
    "long decimal": b"L" + b"9" * 3000 + b"L\n.",
    "huge decimal": b"I" + b"9" * 100_000 + b"\n.",
    "huge frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 60) + b"N.",
    "huge array": pickle.dumps(np.zeros(1), 2).replace(b"K\x01\x85", b"\x8a\x05\x00\x00\x00\x00\x40\x85", 1),
    "array of nothing": pickle.dumps(np.zeros(1, "S1"), 2).replace(b"S1", b"S0"),
    "huge element": b"cnumpy\ndtype\n(S'S2000000000'\nI00\nI01\ntR.",
    "strange type": b"cnumpy\ndtype\n(S'M8[ns]'\nI00\nI01\ntR.",
    "many words": b"N0" * 20_000 + b"N.",
    "large memo": b"N" + b"".join(b"r" + struct.pack("<I", i) for i in range(20_000)) + b".",
}


@pytest.mark.parametrize("name", BOMBS)
def test_time_and_memory_are_bounded(name):
    data = BOMBS[name]
    tracemalloc.start()
    begin = time.process_time()
    try:
        for decode in (plain, opaque_tolerant):
            try:
                decode(data)
            except FileFormatError as problem:
                assert len(str(problem)) < 400
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_LIMIT
    assert time.process_time() - begin < CPU_LIMIT


def test_the_number_of_operations_is_bounded():
    for decode in (plain, opaque_tolerant):
        with pytest.raises(FileFormatError, match="more than 1000 operations"):
            decode(BOMBS["many words"], max_ops=1000)
        with pytest.raises(FileFormatError, match="too large"):
            decode(BOMBS["many words"], max_bytes=1000)


@pytest.mark.parametrize("name", ["deep lists", "billion laughs", "contains itself", "laughing keys", "huge number"])
def test_bombs_are_refused_not_shortened(name):
    with pytest.raises(FileFormatError):
        plain(BOMBS[name])


def test_nested_arrays_of_objects_cannot_exhaust_the_stack():
    head = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    kind = b"cnumpy\ndtype\n(S'O8'\nI00\nI01\ntR"
    inner = b"N"
    for _ in range(6):
        inner = head + b"(I1\n(I1\nt" + kind + b"I00\n(" + inner + b"ltb"
    with pytest.raises(FileFormatError, match="too deep"):
        opaque_tolerant(inner + b".")


def test_many_arrays_that_share_one_are_decoded_at_once():
    head = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    kind = b"cnumpy\ndtype\n(S'O8'\nI00\nI01\ntR"
    shared = head + b"(I1\n(I20000\nt" + kind + b"I00\n(" + b"N" * 20_000 + b"ltbp0\n0"
    holder = head + b"(I1\n(I1\nt" + kind + b"I00\n(g0\nltb"
    begin = time.process_time()
    with pytest.raises(FileFormatError, match="grow beyond"):
        opaque_tolerant(shared + b"(" + holder * 2000 + b"l.")
    assert time.process_time() - begin < CPU_LIMIT


def test_objects_of_other_classes_keep_what_they_hold():
    class Holder:
        pass

    Holder.__qualname__ = Holder.__name__ = "Holder"
    module = types.ModuleType("somewhere_else")
    module.Holder, Holder.__module__ = Holder, "somewhere_else"
    sys.modules["somewhere_else"] = module
    try:
        held = Holder()
        held.flag, held.itself = 3, held
        data = [pickle.dumps(held, protocol) for protocol in range(6)]
    finally:
        del sys.modules["somewhere_else"]
    for pickled in data:
        found = opaque_tolerant(pickled)
        assert (found.module, found.name) == ("somewhere_else", "Holder")
        assert found.get("flag") == 3
        assert found.get("itself") is found
        assert found.get("absent", 7) == 7
        assert repr(found) == "<inert somewhere_else.Holder>"


def test_list_and_dict_like_objects_keep_their_items():
    found = opaque_tolerant(pickle.dumps(collections.defaultdict(list, a=1), 2))
    assert found.items == [("a", 1)]
    found = opaque_tolerant(pickle.dumps(collections.deque([1, 2]), 2))
    assert found.items == [1, 2] or found.args[0] == [1, 2]


def test_decoding_is_cancelled():
    ctx = JobContext()
    ctx.cancel()
    with pytest.raises(JobCancelled):
        opaque_tolerant(b"N.", ctx=ctx)


def test_text_is_not_taken_for_a_pickle():
    assert not looks_pickled(b"A sentence")
    assert not looks_pickled(b"Ends with a full stop.")
    assert looks_pickled(pickle.dumps(("a",), 0))


def npz(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return os.fspath(path)


def npy(value) -> bytes:
    file = io.BytesIO()
    np.save(file, value, allow_pickle=True)
    return file.getvalue()


def test_members_of_an_npz_are_read_with_objects_inert(tmp_path):
    marker = tmp_path / "it-ran"
    objects = np.array([None, {"a": 1}, Runs(os.fspath(marker))], object)
    path = npz(tmp_path / "a.npz", plain=npy(np.arange(6.0).reshape(2, 3)), objects=npy(objects), scalar=npy(None))
    found = read_npz(path)
    np.testing.assert_array_equal(found["plain"], np.arange(6.0).reshape(2, 3))
    assert found["objects"][1] == {"a": 1}
    assert isinstance(found["objects"][2], Inert)
    assert found["scalar"][()] is None
    assert not marker.exists()
    assert set(read_npz(path, ("plain", "absent"))) == {"plain"}


def test_bad_npz_files_are_errors(tmp_path):
    good = npy(np.arange(1000.0))
    bomb = npz(tmp_path / "bomb.npz", a=b"\0" * 100)
    huge = zipfile.ZipInfo("a.npy")
    with zipfile.ZipFile(tmp_path / "large.npz", "w", zipfile.ZIP_DEFLATED) as archive, archive.open(huge, "w") as file:
        file.write(b"x")
    cut = tmp_path / "cut.npz"
    cut.write_bytes((tmp_path / "bomb.npz").read_bytes()[:-30])
    text = tmp_path / "text.npz"
    text.write_text("no zip")
    short = npz(tmp_path / "short.npz", a=good[:-8])
    header = npz(tmp_path / "header.npz", a=good.replace(b"(1000,)", b"(9**9,)"))
    for path in (bomb, tmp_path / "large.npz", cut, text, short, header):
        with pytest.raises(FileFormatError):
            read_npz(os.fspath(path))
    with pytest.raises(MissingDataError):
        read_npz(npz(tmp_path / "none.npz"))


def test_the_published_solution_is_read_without_running_it(shared_data):
    found = read_npz(os.fspath(shared_data / "mkid/wavecal_A_peer_PICKLED.npz"))
    assert found["beam_map"].shape == (80, 125)
    fitted = [entry for entry in found["fit_array"].ravel() if entry and entry["calibration"].get("best_fit_result")]
    assert len(fitted) == 80 or len(fitted) >= 74
    model = fitted[0]["calibration"]
    assert model.name in ("Quadratic", "Linear")
    assert "unique_symbols" in model.get("best_fit_result")[2]
    assert found["configuration"][()].get("wavelengths") == [808.0, 920.0, 980.0, 1120.0, 1310.0]
    assert "mkidpipeline" not in sys.modules
