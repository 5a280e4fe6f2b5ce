"""Workers: a ``map`` done by this process, by several processes, or by a cluster.

Enters: a number of processes, or the address of a Dask scheduler. Leaves: a function that maps like ``map`` and keeps
the order of its arguments, so results do not depend on who computes them.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import active_children, get_context, parent_process, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

from ntkfeyn.errors import NtkfeynError, bad_request

Mapped = Callable[..., Iterable[Any]]  # ``map``, or that of an executor
MAX_JOBS = 256


class WorkersLost(NtkfeynError):
    """Who did the work is gone: what was done before holds."""


def check_workers(jobs: int, scheduler: str | None) -> None:
    """Raises RequestError for a number of jobs out of range, or given together with a scheduler."""
    if type(jobs) is not int or not 1 <= jobs <= MAX_JOBS:
        raise bad_request(f"{jobs} jobs were asked for", f"1 to {MAX_JOBS} are allowed", "--jobs 2")
    if scheduler is not None and not isinstance(scheduler, str):
        raise bad_request(f"the scheduler {scheduler!r} was asked for", "an address is allowed", "tcp://host:8786")
    if scheduler is not None and jobs > 1:
        raise bad_request("jobs and a scheduler were given", "one of them is allowed", "--scheduler alone")


@contextmanager
def workers(jobs: int = 1, scheduler: str | None = None) -> Iterator[Mapped]:
    """``map``, done by this process alone, shared among several, or sent to the cluster at ``scheduler``.

    Raises RequestError if the scheduler cannot be reached, WorkersLost if processes end early or the cluster is gone.
    """
    check_workers(jobs, scheduler)
    if scheduler is not None:
        from ntkfeyn.runtime.cluster import ClusterLost, cluster

        try:
            with cluster(scheduler) as mapped:
                yield mapped
        except ClusterLost as error:
            raise WorkersLost(str(error)) from error
    elif jobs <= 1:
        yield map
    else:
        try:
            pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_end_quietly)
            with _closing(pool) as executor:
                yield partial(_map_held, executor)
        except BrokenProcessPool as error:
            raise WorkersLost(
                "the worker processes ended early (killed, or out of memory?); in a script call this from under"
                ' `if __name__ == "__main__":`, or use one job'
            ) from error


def _map_held(executor: Executor, function: Callable[..., Any], *arguments: Iterable[Any]) -> Iterator[Any]:
    """``executor.map``; processes that it starts inherit that interrupts are held back, until they can end quietly."""
    if not hasattr(signal, "pthread_sigmask"):
        return executor.map(function, *arguments)
    resource_tracker.ensure_running()  # else started with the first process, which lets interrupts through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return executor.map(function, *arguments)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_quietly() -> None:
    """In a process of the pool: an interrupt ends it without a traceback, as does the end of the one that waits."""
    threading.Thread(target=_outlive_nobody, daemon=True).start()
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # in the background of a script nobody is interrupted
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _outlive_nobody() -> None:
    """A parent that is killed cannot tell its workers to stop."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _closing(executor: Executor) -> Iterator[Executor]:
    """An executor that drops what has not begun when its user is interrupted, and leaves no process behind.

    One that is only starting when its pool is gone would end in a traceback of its own: where the user does not come to
    an end, processes are ended first.
    """
    others = set(active_children())
    try:
        yield executor
    except BaseException:
        _end(set(active_children()) - others)
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        _end(set(active_children()) - others)


def _end(processes: set[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
        process.join()
