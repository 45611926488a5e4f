"""BLAS has one thread inside, and what it had before outside."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from ifuview.engine.numeric.blas import one_thread


def numbers() -> set[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_one_thread_inside_and_the_former_number_after_the_last_has_left():
    with threadpool_limits(2, "blas"):
        before = numbers()
        first, second = one_thread(), one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert numbers() == {1}
        second.__exit__(None, None, None)
        assert numbers() == before


def test_an_error_inside_gives_the_threads_back():
    with threadpool_limits(2, "blas"):
        before = numbers()
        with pytest.raises(ZeroDivisionError), one_thread():
            raise ZeroDivisionError
        assert numbers() == before
