"""Who does the work does not change the numbers: processes, a cluster, a worker killed, a scheduler gone."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.runtime import cluster as cluster_module
from ntkfeyn.runtime.workers import WorkersLost, workers
from ntkfeyn.sampling import estimation

distributed = pytest.importorskip("distributed")
INPUTS = [[1.0, 0.5, 0.2], [0.3, -1.0, 0.4]]
NETWORK = nf.Network(3, 16, "gelu", cw=1.5, cb=0.1)


@pytest.fixture
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as running:
        yield running


def document(result: Any) -> str:
    return json.dumps(result.to_json())


def test_a_cluster_gives_the_same_numbers_though_a_worker_is_killed(cluster: Any) -> None:
    names = ["V", "Theta@1", "P"]
    alone = document(nf.sample(NETWORK, INPUTS, names, networks=8192, seed=4))
    first = next(iter(cluster.workers.values())).pid
    killer = threading.Timer(0.7, lambda: os.kill(first, signal.SIGKILL))
    killer.start()
    together = document(nf.sample(NETWORK, INPUTS, names, networks=8192, seed=4, scheduler=cluster.scheduler_address))
    assert killer.finished.is_set()
    assert first not in {worker.pid for worker in cluster.workers.values()}, "nobody was killed"
    assert together == alone
    theory = [nf.evaluate(NETWORK, INPUTS, ["V", "A"], scheduler=s) for s in (None, cluster.scheduler_address)]
    assert document(theory[0]) == document(theory[1])


def test_a_cluster_from_the_command_line(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.json").write_text(json.dumps(INPUTS))
    asked = ["--activation", "tanh", "--inputs", "x.json", "--depth", "3", "--width", "8", "V", "--format", "json"]
    outputs = []
    for command in (["evaluate", *asked], ["sample", "--networks", "512", *asked]):
        for more in ([], ["--scheduler", cluster.scheduler_address]):
            with pytest.raises(SystemExit) as caught:
                main([*command, *more])
            assert not caught.value.code
            outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert outputs[2] == outputs[3]


def test_a_cluster_that_is_lost_ends_with_a_message(cluster: Any) -> None:
    threading.Timer(0.7, cluster.close).start()
    with pytest.raises(NtkfeynError, match="gave up"):
        nf.sample(NETWORK, INPUTS, ["V", "B"], networks=500_000, scheduler=cluster.scheduler_address)


@pytest.mark.parametrize(
    "address", ["nonsense", "tcp://127.0.0.1:1", "ftp://host:3", "tcp://127.0.0.1", "", "tcp://[::"]
)
def test_no_such_scheduler(address: str) -> None:
    with pytest.raises(NtkfeynError, match="--scheduler"):
        nf.sample(NETWORK, INPUTS, ["V"], networks=512, scheduler=address)


def test_jobs_and_scheduler_exclude_each_other() -> None:
    with pytest.raises(NtkfeynError, match="one of them"):
        nf.evaluate(NETWORK, INPUTS, ["K"], jobs=2, scheduler="tcp://127.0.0.1:1")


def test_an_interrupt_drops_what_has_not_begun(tmp_path: Path) -> None:
    """A long queue behind two workers is not worked off."""

    def interrupted() -> None:
        with workers(2) as mapped:
            next(iter(mapped(_slow, [str(tmp_path / f"{i}") for i in range(100)])))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert 1 <= len(list(tmp_path.iterdir())) < 20


STARTING = """
import concurrent.futures.process as process, time, ntkfeyn.runtime.workers as own
spawn, shutdown = process.ProcessPoolExecutor._spawn_process, process.ProcessPoolExecutor.shutdown
def slowly(*arguments, **options):  # as on a busy machine
    shutdown(*arguments, **options)
    time.sleep(2.0)
process.ProcessPoolExecutor.shutdown = slowly
def interrupted(pool):
    spawn(pool)
    raise KeyboardInterrupt
process.ProcessPoolExecutor._spawn_process = interrupted
if __name__ == "__main__":
    with own.workers(2) as mapped:
        list(mapped(abs, range(4)))
"""


def test_workers_that_are_only_starting_end_without_a_word(tmp_path: Path) -> None:
    """An interrupt right after they were started: their parent says so, they do not."""
    (tmp_path / "script.py").write_text(STARTING)
    ended = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ended.stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert ended.stderr.count("Traceback") == 1


def test_killed_parents_leave_no_workers(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(INPUTS))
    network = ["--activation", "tanh", "--inputs", "x.json", "--depth", "3", "--width", "16"]
    command = [sys.executable, "-m", "ntkfeyn", "sample", *network, "--networks", "500000", "--jobs", "2"]
    process = subprocess.Popen([*command, "--checkpoint", "k.npz"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    workers_of = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not workers_of.exists():
        process.kill()
        pytest.skip("no list of child processes here")
    for _ in range(600):
        if (tmp_path / "k.npz").exists():
            break
        time.sleep(0.05)
    children = [int(word) for word in workers_of.read_text().split()]
    assert len(children) >= 2
    process.kill()
    process.wait()
    for _ in range(200):
        if not any(Path(f"/proc/{child}/cmdline").exists() for child in children):
            return
        time.sleep(0.05)
    raise AssertionError("workers outlived their parent")


def _slow(path: str) -> None:
    threading.Event().wait(0.1)
    Path(path).touch()


# --- who does not answer ---


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "PATIENCE", 2.0)


def listener(behave: Callable[[socket.socket], object]) -> str:
    """The address of somebody who is no scheduler."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()

    def serve() -> None:
        while True:
            threading.Thread(target=behave, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return f"tcp://127.0.0.1:{server.getsockname()[1]}"


def answer_in_http(connection: socket.socket) -> None:
    connection.recv(10)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)
    connection.close()


def flood(connection: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection.sendall(bytes(1 << 16))


STRANGERS = {
    "silent": (lambda _: threading.Event().wait(), "says nothing for 2 seconds"),
    "web server": (answer_in_http, "no Dask scheduler"),
    "flood": (flood, "no Dask scheduler"),
    "closes": (lambda connection: connection.close(), "no Dask scheduler|says nothing"),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", STRANGERS)
def test_who_listens_but_is_no_scheduler(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    behave, message = STRANGERS[kind]
    start = time.monotonic()
    with pytest.raises(NtkfeynError, match=message):
        nf.sample(NETWORK, INPUTS, ["V"], networks=512, scheduler=listener(behave))
    assert time.monotonic() - start < 60
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and its only worker, which nobody starts again: (address, [scheduler, worker])."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    told = tmp_path / "scheduler.json"
    python = [sys.executable, "-m"]
    scheduler = [*python, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    running = [subprocess.Popen([*scheduler, "--scheduler-file", str(told)], **quiet)]  # type: ignore[call-overload]
    try:
        while not told.exists() or not told.read_text():
            time.sleep(0.05)
        address = json.loads(told.read_text())["address"]
        worker = [*python, "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
        running.append(subprocess.Popen(worker, **quiet))  # type: ignore[call-overload]
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=60)
        yield address, running
    finally:
        for process in running:
            process.kill()
            process.wait()


LOSSES = {
    "the only worker killed": (1, signal.SIGKILL, "no workers for 2 seconds"),
    "the scheduler killed": (0, signal.SIGKILL, "died|gone"),
    "the scheduler frozen": (0, signal.SIGSTOP, "says nothing for 2 seconds"),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", LOSSES)
def test_a_loss_is_one_message_and_says_how_to_go_on(
    kind: str, bare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    address, running = bare
    which, number, message = LOSSES[kind]
    monkeypatch.chdir(tmp_path)
    Path("x.json").write_text(json.dumps(INPUTS))
    asked = ["sample", "--activation", "tanh", "--inputs", "x.json", "--depth", "3", "--width", "8", "V"]
    asked += ["--checkpoint", "k.npz", "--format", "json"]

    def strike() -> None:
        while not Path("k.npz").exists():
            time.sleep(0.02)
        struck.append(time.monotonic())
        os.kill(running[which].pid, number)

    struck: list[float] = []
    threading.Thread(target=strike, daemon=True).start()
    with pytest.raises(SystemExit) as caught:
        main([*asked, "--networks", "400000", "--scheduler", address])
    out, err = capfd.readouterr()
    assert (caught.value.code, out, err.count("\n")) == (2, "", 1)
    assert re.search(message, err)
    assert "--checkpoint k.npz --resume" in err
    assert time.monotonic() - struck[0] < 60
    kept = int(re.search(r"(\d+) networks are kept", err)[1])  # type: ignore[index]
    documents = []
    for more in (["--resume"], ["--checkpoint", "other.npz"]):
        with pytest.raises(SystemExit):
            main([*asked, "--networks", str(kept + 64), *more])
        documents.append(capfd.readouterr().out)
    assert documents[0] == documents[1] != ""


def test_a_loss_without_a_checkpoint_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def lost(*_: object) -> Iterator[Any]:
        def mapped(*_: object) -> Any:
            raise WorkersLost("gone")

        yield mapped

    monkeypatch.setattr(estimation, "workers", lost)
    with pytest.raises(WorkersLost, match=r"gone\. Try: --checkpoint FILE"):
        nf.sample(NETWORK, INPUTS, ["V"], networks=512)
