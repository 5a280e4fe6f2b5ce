"""Run files: the options of commands in TOML, one table a command; read by --run, written by --save-run.

Enters: a TOML file, or what a command was given. Leaves: values by parameter, for click; or a TOML file.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

from ntkfeyn import __version__
from ntkfeyn.cli.notation_option import NOTATION, Notation, notation_lines, notation_tables
from ntkfeyn.cli.options import trusting, writable
from ntkfeyn.errors import NtkfeynError, RequestError, bad_request, closest
from ntkfeyn.runtime.files import read_toml

RUN_FILE = "ntkfeyn.toml"
SAVE = "save_run"
MAX_BYTES = 1 << 20
LONGEST_SHOWN = 60
# who types one of the left asks anew: what the file says of the right is dropped, as it would be asked for as well
TARGETS = {"names", "cumulants", "legs", "moment"}
ASKED_ANEW = ((TARGETS, TARGETS | {"channel"}), ({"inputs", "gram"}, {"inputs", "gram"}))


def run_file_values(
    given: Path | None, ignored: bool, command: click.Command, name: str, commands: Collection[str]
) -> dict[str, Any]:
    """What the run file says of this command, by parameter: the file ``given``, or ntkfeyn.toml if there is one.

    Raises NtkfeynError for a file that cannot be read, an unknown table or key, or a value of the wrong kind.
    """
    if given is not None and ignored:
        raise bad_request(f"--run {given} and --no-run were given", "one of them is allowed", f"--run {given}")
    if given is None and (ignored or not os.path.isfile(RUN_FILE)):
        return {}
    path = Path(RUN_FILE) if given is None else given
    document = read_toml(path, MAX_BYTES, "run file", "a table [command] of key = value is allowed")
    takes = any(param.name == NOTATION for param in command.params)
    letters = document.pop(NOTATION, None)
    own = {NOTATION: notation_tables(letters, str(path))} if takes and letters is not None else {}
    for table in document:
        if table not in commands:
            known = [*commands, NOTATION]
            raise _unknown(f"{path}: unknown table or key '{_shown(table)}'", table, known, "[{}]")
        if not isinstance(document[table], dict):
            raise bad_request(f"{path}: '{table}' is no table", "a table holds the options of a command", f"[{table}]")
    if name in document or own:
        values = own | _values(document.get(name, {}), f"{path}, [{name}]", command)
        if given is None:
            _check_unasked(values, path, command)
            click.echo(f"using {path}", err=True)
        return values
    if given is None:
        return {}
    raise bad_request(
        f"{path} has no table [{name}]",
        f"it has {', '.join(f'[{table}]' for table in document) or 'none'}",
        f"ntkfeyn {name} --save-run {path}, which writes one",
    )


def _values(table: dict[str, Any], where: str, command: click.Command) -> dict[str, Any]:
    """The values of a table by parameter name, every one of the kind that its parameter takes."""
    known = {key_of(param): param for param in _saved(command)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise _unknown(f"{where}: unknown key '{_shown(key)}'", key, known, "{}")
        param = known[key]
        many = _many(param)
        allowed, sample = _kind(param)
        if many:
            allowed, sample = f"a list, each {allowed}, is allowed", f"[{sample}]"
        else:
            allowed = f"{allowed} is allowed"
        singles = value if many and isinstance(value, list) else [value]
        if many != isinstance(value, list) or not all(_fits(param, single) for single in singles):
            raise bad_request(f"{where}: {key} = {_shown(_toml_like(value))}", allowed, f"{key} = {sample}")
        texts = [str(one) if isinstance(param.type, click.types.StringParamType) else one for one in singles]
        try:  # what is left to refuse: a directory where a file is needed
            param.type_cast_value(click.Context(command), texts if many else texts[0])
        except click.BadParameter as error:
            raise bad_request(f"{where}: {key} = {_shown(_toml_like(value))}", error.message.rstrip(".")) from error
        values[param.name or ""] = texts if many else texts[0]
    return values


def _check_unasked(values: dict[str, Any], path: Path, command: click.Command) -> None:
    """Who only changes into a directory has not read the run file there: it may write below that directory alone.

    Raises RequestError.
    """
    for param in command.params:
        value = values.get(param.name or "")
        if value is None:
            continue
        if param.callback is writable and (Path(value).is_absolute() or not _is_below(Path(value))):
            allowed = "a run file that was not asked for may write below the current directory alone"
        elif trusting(param):
            allowed = "a run file that was not asked for may not choose who does the work"
        else:
            continue
        raise bad_request(
            f"{path}, [{command.name}]: {key_of(param)} = {_shown(_toml_like(value))}",
            allowed,
            f"ntkfeyn --run {path} {command.name}, if that is meant, or --no-run",
        )


def _is_below(path: Path) -> bool:
    try:
        return path.resolve().is_relative_to(Path.cwd().resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def key_of(param: click.Parameter) -> str:
    """The long name of an option without its dashes, or the name of an argument."""
    long = [name for name in param.opts if name.startswith("--")]
    return long[0][2:] if long else (param.name or "").replace("_", "-")


def _saved(command: click.Command) -> list[click.Parameter]:
    return [param for param in command.params if param.name != SAVE]


def _many(param: click.Parameter) -> bool:
    return param.nargs == -1 or bool(getattr(param, "multiple", False))


def _kind(param: click.Parameter) -> tuple[str, str]:
    """What a value must be, in words, and an example."""
    kind = param.type
    if getattr(param, "is_flag", False):
        return "true or false", "true"
    if isinstance(kind, click.Choice):
        return f"one of {', '.join(kind.choices)}", f'"{kind.choices[0]}"'
    if isinstance(kind, click.types.IntParamType):
        return "a whole number", "3"
    if isinstance(kind, click.types.FloatParamType):
        return "a number", "0.5"
    return "a text", '"F"' if _many(param) else '".."'


def _fits(param: click.Parameter, value: Any) -> bool:
    kind = param.type
    if getattr(param, "is_flag", False) or isinstance(value, bool):
        return bool(getattr(param, "is_flag", False)) and isinstance(value, bool)
    if isinstance(kind, click.types.IntParamType):
        return isinstance(value, int)
    if isinstance(kind, click.types.FloatParamType):
        return isinstance(value, int | float)
    if isinstance(kind, click.Choice):
        return value in kind.choices
    if isinstance(value, int | float):  # cw = 1.98 and width = 64 are what one writes
        return isinstance(kind, click.types.StringParamType)
    return isinstance(value, str) and "\0" not in value


def _unknown(asked: str, word: str, known: Collection[str], form: str) -> RequestError:
    meant = closest(word, known)
    allowed = f"allowed are {', '.join(form.format(name) for name in known)}"
    return RequestError(f"{asked}; {allowed}" + (f". Did you mean {form.format(meant)}?" if meant else ""))


def _shown(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + ".."


def _toml_like(value: Any) -> str:
    try:
        return toml(value)
    except NtkfeynError:  # a date, a table
        return str(value)


def with_save_run(command: click.Command) -> click.Command:
    """The command with --save-run, which writes what it was given once it has answered, also if the answer is no."""
    if any(param.name == SAVE for param in command.params):
        return command
    command.params.append(
        click.Option(
            ["--save-run"],
            type=click.Path(dir_okay=False, path_type=Path),
            callback=writable,
            help="Write these options to a run file (replaced as a whole): `ntkfeyn --run FILE COMMAND` repeats this.",
        )
    )
    answer = command.callback

    def saving(**values: Any) -> Any:
        path = values.pop(SAVE)
        context = click.get_current_context()
        values = _asked_anew(context, values)
        text = None
        if path is not None:  # what it cannot hold is refused before long work
            text = run_file_text(command, values)
        try:
            result = answer(**values) if answer is not None else None
        except (click.exceptions.Exit, SystemExit) as stop:
            code = stop.exit_code if isinstance(stop, click.exceptions.Exit) else stop.code
            if code in (0, 1, None):
                _write(path, text)
            raise
        _write(path, text)
        return result

    command.callback = saving
    return command


def _asked_anew(context: click.Context, values: dict[str, Any]) -> dict[str, Any]:
    """The values without what the file asks for where something else of its kind was typed."""
    filed = context.default_map or {}
    from_line = click.core.ParameterSource.COMMANDLINE
    typed = {name for name in values if context.get_parameter_source(name) is from_line and values[name] != ()}
    # click 8.1 takes no names for names that were typed
    values = values | {name: tuple(found) for name, found in filed.items() if values[name] == ()}
    dropped = {name for left, right in ASKED_ANEW if typed & left for name in right & (filed.keys() - typed)}
    defaults = _defaults(context.command)
    return values | {name: defaults[name] for name in sorted(dropped)}


def _defaults(command: click.Command) -> dict[str, Any]:
    """The values of a command that was given nothing."""
    return command.make_context(command.name, [], resilient_parsing=True).params


def _write(path: Path | None, text: str | None) -> None:
    if path is not None and text is not None:
        from ntkfeyn.runtime.files import write_file

        write_file(path, text)


def run_file_text(command: click.Command, values: dict[str, Any]) -> str:
    """A TOML file with every value that differs from its default, in the order of --help."""
    lines = [f"# Made by ntkfeyn {__version__}; repeat with: ntkfeyn --run FILE {command.name}", f"[{command.name}]"]
    defaults = _defaults(command)
    tables: list[str] = []
    for param in _saved(command):
        value = values[param.name or ""]
        if isinstance(value, Notation):
            if not isinstance(value.source, str):
                tables = notation_lines(value.source)
                continue
            value = value.source
        if value != defaults[param.name or ""]:
            lines.append(f"{key_of(param)} = {toml(value)}")
    return "\n".join([*lines, *tables]) + "\n"


def toml(value: Any) -> str:
    """A value as TOML. Raises RequestError for one that TOML does not know."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str | Path):
        import json

        text = json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")  # else as in TOML
        if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
            raise bad_request(f"{text} cannot be kept in a run file", "a text of Unicode is", "another file name")
        return text
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    asked, allowed = f"{value!r} cannot be kept in a run file", "texts, numbers, true, false and lists of them can"
    raise bad_request(asked, allowed, "the command without --save-run")
