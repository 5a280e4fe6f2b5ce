"""Templates of a user, rendered in a process of their own: they can compute for ever, or fill the memory.

Enters: folders, and names of templates with plain values. Leaves: texts, or one message that names file and line. What
is passed to and fro is JSON. A template sees frozen copies of values and no file but templates.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, MappingProxyType, TracebackType
from typing import Any, NamedTuple

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.runtime.files import read_file

MAX_TEMPLATE = 1 << 20  # bytes of a file
MAX_TEXT = 1 << 26  # characters of all that is rendered
MAX_MEMORY = 1 << 30  # bytes of the process
SECONDS = 30.0
GRACE = 5.0  # more, until a process that does not say itself that its time is over is ended
LONGEST_SHOWN = 300
_PROGRAM = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from ntkfeyn.render.sandbox import main; main()"


class Job(NamedTuple):
    """One file to render: a template's name and what it sees."""

    template: str
    values: Mapping[str, Any]


def frozen(value: Any) -> Any:
    """The value with every dict and list in it read-only."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: frozen(one) for key, one in value.items()})
    if isinstance(value, list):
        return tuple(map(frozen, value))
    if type(value) is tuple:
        return tuple(map(frozen, value))
    return value


def template_environment(folders: Sequence[Path]) -> Any:
    """A strict Jinja sandbox in which nothing can be changed; the first folder that has a template counts."""
    from jinja2 import FunctionLoader, StrictUndefined, TemplateNotFound
    from jinja2.loaders import split_template_path
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def load(name: str) -> tuple[str, str, None]:
        parts = split_template_path(name)  # refuses what leads out of the folder
        for folder in folders:
            path = folder.joinpath(*parts)
            if path.exists():
                return read_file(path, MAX_TEMPLATE).decode(), str(path), None
        raise TemplateNotFound(name)

    return ImmutableSandboxedEnvironment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )


def render_apart(folders: Sequence[Path], jobs: Sequence[Job]) -> list[str]:
    """The texts of the jobs. Raises NtkfeynError for a broken template, or one beyond the limits."""
    request = {
        "folders": [str(folder.absolute()) for folder in folders],
        "jobs": jobs,
        "most": [SECONDS, MAX_TEXT, MAX_MEMORY],
    }
    command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path)]
    try:
        ended = subprocess.run(
            command, input=json.dumps(request).encode(), capture_output=True, timeout=SECONDS + GRACE, check=False
        )
        answer = json.loads(ended.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired as error:  # in one long step of Python itself
        begun = (error.stdout or b"").splitlines()
        answer = {"error": _too_long(f"template {json.loads(begun[-1])['begun']}" if begun else "templates", SECONDS)}
    except (OSError, ValueError, IndexError) as error:
        raise NtkfeynError(
            f"the templates cannot be used: the process that renders them ended early (more than {MAX_MEMORY >> 20} MiB"
            " of memory?)"
        ) from error
    if "begun" in answer:
        raise NtkfeynError(f"the template {answer['begun']} cannot be used: the process that rendered it ended early")
    if "error" in answer:
        raise NtkfeynError(answer["error"])
    return list(answer["texts"])


def main() -> None:
    """In the process apart: a request from stdin, an answer to stdout."""
    request = json.load(sys.stdin)
    seconds, most_text, most_memory = request["most"]
    _limit_memory(most_memory)
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (nothing but the answer is printed)
    thread = threading.main_thread().ident or 0
    watch = threading.Timer(seconds, _time_is_over, (thread, seconds))
    watch.daemon = True
    watch.start()
    environment = template_environment([Path(folder) for folder in request["folders"]])
    texts: list[str] = []
    try:
        for name, values in request["jobs"]:
            _tell({"begun": name})
            texts.append(rendered(environment, Job(name, values), most_text, sum(len(text) for text in texts)))
        _answer({"texts": texts})
    except NtkfeynError as error:
        _answer({"error": str(error)})


def _tell(document: dict[str, Any]) -> None:
    """A line of JSON."""
    data = json.dumps(document).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


def _answer(document: dict[str, Any]) -> None:
    """The last line, and the process is over: whatever a thread of it is at."""
    _tell(document)
    os._exit(0)


def _limit_memory(most: int) -> None:
    """Where the system can: elsewhere the limits on range, text and time are what there is."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (ImportError, ValueError, OSError):
        return


def _time_is_over(thread: int, seconds: float) -> None:
    frame = sys._current_frames().get(thread)
    place = "templates"
    while frame is not None:
        if _template_of(frame) is not None:
            place = f"template {_place(frame, frame.f_lineno)}"
            break
        frame = frame.f_back
    _answer({"error": _too_long(place, seconds)})


def _too_long(place: str, seconds: float) -> str:
    return f"the {place} took more than {seconds:g} seconds, which is the most"


def rendered(environment: Any, job: Job, most: int = MAX_TEXT, before: int = 0) -> str:
    """The text of one template: with ``before`` characters of others at most ``most``.

    Raises NtkfeynError with file and line.
    """
    pieces: list[str] = []
    size = before
    last: tuple[FrameType, int] | None = None  # where the last piece came from: named only if there is something wrong

    def where() -> str:
        return _place(*last) if last is not None else job.template

    try:
        template = environment.get_template(job.template)
        stream = template.root_render_func(template.new_context(frozen(job.values)))
        for piece in stream:
            if stream.gi_frame is not None:
                last = stream.gi_frame, stream.gi_frame.f_lineno
            size += len(piece)
            if size > most:
                raise NtkfeynError(f"the template {where()} writes more than {most} characters in all")
            piece.encode()  # a half of a surrogate pair is no text
            pieces.append(piece)
    except NtkfeynError:
        raise
    except Exception as error:  # a template computes: it raises whatever Python raises
        found = _last_place(error.__traceback__) or where()
        line = getattr(error, "lineno", None)
        if line is not None:  # of its syntax
            found = f"{getattr(error, 'name', None) or job.template}, line {line}"
        raise NtkfeynError(f"the template {found} cannot be used: {_reason(error)}") from error
    return "".join(pieces)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it includes or calls itself without end"
    if isinstance(error, MemoryError):
        return "it needs too much memory"
    if isinstance(error, UnicodeEncodeError):
        return f"it writes {error.object[error.start]!r}, which is no sign of Unicode"
    if type(error).__name__ == "TemplateNotFound":
        return f"there is no template '{error}'"
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + ".."


def _template_of(frame: FrameType) -> Any:
    return frame.f_globals.get("__jinja_template__")


def _place(frame: FrameType, line: int) -> str:
    """File and line of what Jinja made Python code of."""
    template = _template_of(frame)
    return f"{template.name}, line {template.get_corresponding_lineno(line)}"


def _last_place(trace: TracebackType | None) -> str:
    """Where an error arose: the innermost template."""
    found = ""
    while trace is not None:
        if _template_of(trace.tb_frame) is not None:
            found = _place(trace.tb_frame, trace.tb_lineno)
        trace = trace.tb_next
    return found
