"""Matplotlib for pictures: its own fonts and its own style, whatever the machine and the session they are made in.

Enters: a style. Leaves: matplotlib, ready to draw. When it is loaded it looks for every font of the machine, asks
fontconfig for more and keeps the list in a cache directory: seconds of work, a directory to write to, and complaints
where there is none. Pictures need the fonts that matplotlib brings along and nothing else. In a Python session the
search is put off, not left out: the first to ask for a font outside a picture has it made.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any


@contextmanager
def own_fonts(style: Mapping[str, object] | None = None) -> Iterator[None]:
    """Inside, matplotlib draws with its own fonts, its defaults and ``style``, in silence; after it, as before."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)  # where it cannot write it tells what it does instead
    try:
        matplotlib = _matplotlib()
        manager = _font_manager(matplotlib).fontManager
        kind = type(manager)
        manager.__class__ = getattr(kind, "searched", kind)
        try:
            with matplotlib.rc_context():
                # as plain dictionaries: the defaults are valid, and some are deprecated
                defaults = dict.items(matplotlib.rcParamsDefault)
                dict.update(matplotlib.rcParams, {key: value for key, value in defaults if key != "backend"})
                matplotlib.rcParams.update(style or {})
                yield
        finally:
            manager.__class__ = kind
    finally:
        logger.setLevel(level)


def _matplotlib() -> Any:
    """Matplotlib. A directory for the user's configuration is made when it is loaded: only where he has one."""
    if "matplotlib" not in sys.modules and "MATPLOTLIBRC" not in os.environ and not _has_configuration():
        [package] = find_spec("matplotlib").submodule_search_locations  # type: ignore[union-attr, misc]
        os.environ["MATPLOTLIBRC"] = str(Path(package) / "mpl-data" / "matplotlibrc")
        try:
            import matplotlib
        finally:
            del os.environ["MATPLOTLIBRC"]
    import matplotlib

    return matplotlib


def _has_configuration() -> bool:
    """Whether there is a file in one of the places where matplotlib looks."""
    places = [os.path.expanduser(os.path.join("~", ".config", "matplotlib")), os.path.expanduser("~/.matplotlib")]
    places += [os.environ[name] for name in ("MPLCONFIGDIR",) if name in os.environ]
    bases = [os.environ[name] for name in ("XDG_CONFIG_HOME", "LOCALAPPDATA") if name in os.environ]
    places += [os.path.join(base, "matplotlib") for base in bases]
    return any(os.path.isfile(os.path.join(place, "matplotlibrc")) for place in places)


def _font_manager(matplotlib: Any) -> Any:
    """The module. Is it we who load it, its manager knows matplotlib's own fonts until others ask."""
    if "matplotlib.font_manager" not in sys.modules:
        ask, replaced = matplotlib.get_cachedir, {}

        def get_cachedir() -> str:
            """Font_manager calls it when all of it is defined but its manager: the moment to keep that one small."""
            module: Any = sys.modules.get("matplotlib.font_manager")
            if module is not None and not hasattr(module, "fontManager"):
                replaced.update({name: getattr(module, name) for name in ("findSystemFonts", "json_dump")})
                search = module.findSystemFonts
                module.findSystemFonts = lambda paths=None, fontext="ttf": search(paths, fontext) if paths else []
                module.json_dump = lambda *_: None
                return os.devnull  # there is no list to be read
            try:
                return str(ask())
            except (OSError, RuntimeError):
                return os.devnull

        matplotlib.get_cachedir = get_cachedir
        try:
            from matplotlib import font_manager, texmanager  # noqa: F401  the second asks for the directory too
        finally:
            matplotlib.get_cachedir = ask
        if replaced:
            vars(font_manager).update(replaced)
            font_manager.fontManager.__class__ = _unsearched(font_manager)
    return sys.modules["matplotlib.font_manager"]


def _unsearched(module: ModuleType) -> type:
    """The class of a manager for which the machine has not been searched yet: it is when its lists are asked for."""

    def found(name: str) -> property:
        def after_the_search(self: Any) -> Any:
            self.__class__ = module.FontManager
            vars(self).update(vars(module._load_fontmanager()))
            self._findfont_cached.cache_clear()
            return vars(self)[name]

        return property(after_the_search)

    lists = {name: found(name) for name in ("ttflist", "afmlist")}
    return type("Unsearched", (module.FontManager,), {**lists, "searched": module.FontManager})
