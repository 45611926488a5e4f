"""All that knows dask: processes on this machine or a running scheduler, tasks tried again when their worker dies."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Protocol

from ifuview.batch.tasks import BatchTask, Record, failed
from ifuview.batch.work import THREADS, work
from ifuview.errors import MissingDataError, UsageError

RETRIES = 1  # after an exception that no input explains; a worker that dies is tried ALLOWED_DEATHS times more
ALLOWED_DEATHS = 3
CONNECT_S = 4.0
ANY_PORT = "127.0.0.1:0"  # dask always has a web server; it is left without pages
PIP = 'python3 -m pip install "ifuview[batch]"'


class Submitted(Protocol):
    """A task that was handed to the scheduler, as `distributed.Future` has it."""

    status: str

    def result(self) -> Record:
        """What the task returned."""

    def exception(self) -> BaseException | None:
        """What went wrong."""

    def release(self) -> None:
        """Let it go."""


class Client(Protocol):
    """What is asked of `distributed.Client`."""

    loop: object

    def scheduler_info(self) -> Mapping[str, object]:
        """What the scheduler says of itself; "workers" by address."""

    def submit(
        self, function: Callable[[BatchTask], Record], /, *args: BatchTask, key: str, pure: bool, retries: int
    ) -> Submitted:
        """Hand a task to the scheduler."""

    def cancel(self, futures: list[Submitted], force: bool = ...) -> object:
        """Stop tasks."""


def need_dask() -> ModuleType:
    """Import `distributed`, or raise MissingDataError with the command that installs it."""
    try:
        import distributed
    except ImportError as problem:
        raise MissingDataError("dask is not installed", "batch", f"install it with: {PIP}") from problem
    return distributed


@contextlib.contextmanager
def connected(scheduler: str | None, workers: int) -> Iterator[Client]:
    """A client of a running scheduler, or of `workers` processes of its own that end with it.

    Raises
    ------
    MissingDataError, UsageError
        dask is missing; nobody answers at that address.
    """
    distributed = need_dask()
    import dask

    quiet()
    if scheduler is not None:
        with _of_scheduler(scheduler) as client:
            yield client
        return
    settings = {
        "distributed.scheduler.http.routes": [],  # no pages, which would be open to all users of the machine
        "distributed.worker.http.routes": [],
        "distributed.scheduler.allowed-failures": ALLOWED_DEATHS,
        "distributed.nanny.pre-spawn-environ": dict.fromkeys(THREADS, 1),
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
    }
    with dask.config.set(settings):
        with uninterrupted():
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": ANY_PORT},
                security=_secret(),
                silence_logs=logging.CRITICAL,
                memory_limit=None,
            )
        with cluster, distributed.Client(cluster, set_as_default=False) as client:
            yield client


def _of_scheduler(scheduler: str) -> contextlib.AbstractContextManager[Client]:
    """A client of a running scheduler: its address, or the file that it wrote."""
    distributed = need_dask()
    where = {"scheduler_file": scheduler} if os.path.isfile(scheduler) else {"address": scheduler}
    try:
        client: contextlib.AbstractContextManager[Client] = distributed.Client(
            **where, timeout=CONNECT_S, set_as_default=False
        )
    except Exception as problem:  # ssl, sockets, a file that is no JSON: each has its own kind
        text = "no dask scheduler answers at this address"
        todo = "give one such as tcp://host:8786 or tls://host:8786 or its scheduler file, or leave --scheduler out"
        raise UsageError(text, scheduler, todo) from problem
    return client


def _secret() -> object:
    """Credentials that only the processes of this run know: whoever may talk to a scheduler runs code as its user.

    Raises
    ------
    MissingDataError
        The library that makes them is not installed.
    """
    try:
        return need_dask().Security.temporary()
    except ImportError as problem:
        text = "the library cryptography is not installed"
        raise MissingDataError(text, "batch", f"install it with: {PIP}") from problem


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl+C back for a moment; threads and processes that start meanwhile never get it.

    A terminal sends it to all processes of the command, but it is for us alone to end the workers.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # it would let Ctrl+C through again when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def quiet() -> None:
    """No lines of the scheduler among ours: what matters comes back as records."""
    for name in ("distributed", "distributed.client", "distributed.nanny", "distributed.scheduler", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def run(client: Client, tasks: Sequence[BatchTask]) -> Iterator[tuple[BatchTask, Record]]:
    """Do all tasks; each comes back with its record as soon as it is done, whatever became of it."""
    todo = {client.submit(work, task, key=key(task), pure=False, retries=RETRIES): task for task in tasks}
    lonely: list[BatchTask] = []
    try:
        for future in need_dask().as_completed(list(todo), loop=client.loop):
            task = todo.pop(future)
            if killed(future):
                lonely.append(task)
            else:
                yield task, outcome(future, task)
            future.release()
        for task in lonely:  # a worker that died took others with it: these are tried by themselves
            future = client.submit(work, task, key=key(task, "alone"), pure=False, retries=RETRIES)
            todo[future] = task
            next(need_dask().as_completed([future], loop=client.loop))
            yield task, outcome(future, task)
            todo.pop(future)
    finally:
        if todo:
            with contextlib.suppress(Exception):
                client.cancel(list(todo), force=True)


def key(task: BatchTask, more: str = "") -> str:
    """A name for the scheduler's own pages; never the same in two runs."""
    return f"{task.kind}-{task.exposure}-{task.camera}-{more}-{os.getpid()}-{os.urandom(4).hex()}"


def killed(future: Submitted) -> bool:
    """Whether the workers of a task died."""
    from distributed.scheduler import KilledWorker

    return future.status == "error" and isinstance(future.exception(), KilledWorker)


def outcome(future: Submitted, task: BatchTask) -> Record:
    """The record of a future that is done."""
    if future.status == "finished":
        return future.result()
    if future.status == "cancelled":
        return failed(task, "the scheduler cancelled it; run again.")
    if killed(future):
        return failed(task, "its worker was killed each time it was tried; is there too little memory?")
    problem = future.exception()
    if isinstance(problem, OSError):
        where = problem.filename or task.output
        return failed(task, f"{where}: cannot be read or written ({problem.strerror or problem}).")
    if isinstance(problem, ModuleNotFoundError):
        return failed(task, f"a worker has no {problem.name}; install ifuview where the workers run.")
    frames = traceback.extract_tb(None if problem is None else problem.__traceback__)
    where = f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno})" if frames else ""
    return failed(task, f"an error of ifuview itself: {type(problem).__name__}: {problem}{where}")
