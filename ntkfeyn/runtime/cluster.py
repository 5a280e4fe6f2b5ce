"""A Dask cluster as a ``map``: nobody waits for it longer than ``PATIENCE`` without knowing that it lives.

Enters: the address of a scheduler. Leaves: a function that maps like ``map``; or one message, whatever listens there,
falls silent or dies. Tasks of a worker that dies are given to another one by the scheduler.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from ntkfeyn.errors import bad_request

PATIENCE = 20.0  # seconds for a scheduler to answer, and for a worker to come back
LOOK = 1.0  # seconds between looks at a cluster while a result is waited for
CLOSING = 2.0  # seconds to say goodbye
LOUD = ("distributed", "tornado", "asyncio")  # what they tell at length, our message says
HINT = "--scheduler tcp://host:8786, as `dask scheduler` prints it"


class ClusterLost(Exception):
    """The scheduler is gone, or has no workers any more."""


@contextmanager
def cluster(address: str) -> Iterator[Callable[..., Iterable[Any]]]:
    """The map of the cluster at ``address``.

    Raises RequestError if no Dask scheduler with workers answers there, ClusterLost if it is lost later on.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise bad_request(
            f"the scheduler '{address}' was asked for", "it needs the extra `cluster`", "pip install 'ntkfeyn[cluster]'"
        ) from error
    with _hushed():
        _check_answers(address)
        try:
            client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise _unreachable(address, f"it does not answer as a Dask scheduler ({_told(error)})") from error
        try:
            yield partial(_map, client, address)
        finally:
            with suppress(Exception):  # nobody may be there to say goodbye to
                client.close(timeout=CLOSING)


@contextmanager
def _hushed() -> Iterator[None]:
    """What Dask and its loop log is not shown."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in LOUD]
    loud = [logger for logger in map(logging.getLogger, [*LOUD, *names]) if not logger.disabled]
    for logger in loud:
        logger.disabled = True
    try:
        yield
    finally:
        for logger in loud:
            logger.disabled = False


def _check_answers(address: str) -> None:
    """Whether a Dask scheduler with workers answers: a client that waits for anybody else is hard to stop."""
    found = re.fullmatch(r"(?:tcp|tls)://(\[[0-9a-fA-F:]+\]|[^\s/:\[\]]+):([0-9]{1,5})", address)
    if not found:
        raise _unreachable(address, "it is not of the form tcp://host:port")
    try:
        socket.create_connection((found[1].strip("[]"), int(found[2])), timeout=PATIENCE).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise _unreachable(address, f"it cannot be reached ({_told(error)})") from error
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(asyncio.run(_asked(address))), daemon=True)
    asking.start()  # apart: a notebook has an event loop of its own in this thread
    asking.join(PATIENCE + LOOK)
    if not answers or isinstance(answers[0], TimeoutError):
        raise _unreachable(address, f"what listens there says nothing for {PATIENCE:g} seconds")
    if isinstance(answers[0], Exception):
        raise _unreachable(address, f"what listens there is no Dask scheduler ({_told(answers[0])})") from answers[0]
    if not answers[0]:
        raise _unreachable(address, f"it has no workers; start some, e.g. `dask worker {address}`")


async def _asked(address: str) -> Any:
    """The workers that a scheduler has, or what asking a stranger raised: whatever Dask's reader raises."""
    try:
        return await asyncio.wait_for(_workers(address), PATIENCE)
    except Exception as error:
        return error


async def _workers(address: str) -> Any:
    from distributed.comm import connect
    from distributed.core import send_recv

    comm = await connect(address, timeout=PATIENCE)
    try:
        return await send_recv(comm, op="ncores", workers=None)
    finally:
        comm.abort()


def _map(client: Any, address: str, function: Callable[..., Any], *arguments: Iterable[Any]) -> Iterator[Any]:
    """Results in order; while one is waited for, the cluster is looked at."""
    futures = client.map(function, *map(list, arguments), pure=False)
    futures.reverse()
    while futures:
        yield _result(client, address, futures.pop())


def _result(client: Any, address: str, future: Any) -> Any:
    """Raises ClusterLost where it will never come."""
    from distributed import CancelledError, KilledWorker
    from distributed.comm import CommClosedError

    missed = None  # since when nobody works
    while True:
        try:
            return future.result(timeout=LOOK)
        except TimeoutError:
            pass
        except (KilledWorker, CommClosedError, CancelledError) as error:
            raise _lost(address, f"workers or scheduler died ({_told(error)})") from error
        try:
            present = client.sync(client.scheduler.ncores, workers=None, callback_timeout=PATIENCE)
        except TimeoutError as error:
            raise _lost(address, f"the scheduler says nothing for {PATIENCE:g} seconds") from error
        except Exception as error:  # closed in the middle of any step
            raise _lost(address, f"the scheduler is gone ({_told(error)})") from error
        missed = None if present else missed or time.monotonic()
        if missed is not None and time.monotonic() - missed > PATIENCE:
            raise _lost(address, f"it has had no workers for {PATIENCE:g} seconds")


def _unreachable(address: str, reason: str) -> Exception:
    return bad_request(f"the scheduler '{address}' was asked for", reason, HINT)


def _lost(address: str, reason: str) -> ClusterLost:
    return ClusterLost(f"the cluster at '{address}' gave up: {reason}")


def _told(error: BaseException) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:200]
