"""Every figure and table of arXiv 2508.11522 again: `python outputs/paper/make.py`, or `make.py NAME ..` for some.

Enters: figures.toml (what each figure shows), runs/*.toml (run files of `ntkfeyn compare`), inputs/ (eqs. 116 to 128).
Leaves: data/*.json (theory and samples), pdf and png files, all.png, the tables of README.md. What is there for the
same request is kept, and an interrupted run goes on from its checkpoint. `--networks 4` samples four times as many.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import tomllib
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
Document = dict[str, Any]


def figures() -> dict[str, Document]:
    """What each figure shows, by name."""
    return tomllib.loads((HERE / "figures.toml").read_text())


def request(run: str, times: float = 1.0) -> Document:
    """The options of a run file, with its inputs as numbers."""
    asked: Document = tomllib.loads((HERE / "runs" / f"{run}.toml").read_text())["compare"]
    asked["networks"] = round(times * asked["networks"])
    return {**asked, "inputs": json.loads((HERE / asked["inputs"]).read_text())}


def data_of(run: str) -> Document:
    """What a run gave."""
    found: Document = json.loads((HERE / "data" / f"{run}.json").read_text())
    return found


def is_made(run: str, asked: Document) -> bool:
    """Whether the data are there, for this request and at least so many networks."""
    if not (HERE / "data" / f"{run}.json").is_file():
        return False
    held = data_of(run)["request"]
    return held["networks"] >= asked["networks"] and {**held, "networks": asked["networks"]} == asked


def sample(run: str, asked: Document, folder: Path) -> Document:
    """`ntkfeyn --run runs/RUN.toml compare`, its answer cut down to what figures need; at most 8 digits."""
    from ntkfeyn.cli import main as ntkfeyn

    answer, checkpoint = folder / f"{run}.whole.json", folder / f"{run}.npz"
    options = ["--json", str(answer), "--checkpoint", str(checkpoint), "--networks", str(asked["networks"])]
    begun, resumed = time.process_time(), checkpoint.is_file()
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        try:
            ntkfeyn(["--run", f"runs/{run}.toml", "compare", *options, *(["--resume"] if resumed else [])])
        except SystemExit as ended:
            if ended.code:
                raise
    whole = json.loads(answer.read_text())
    for path in (answer, checkpoint):
        path.unlink(missing_ok=True)
    made: Document = {"request": asked, "tool": whole["meta"]["tool"], "networks": whole["meta"]["networks"]}
    made["core_seconds"] = None if resumed else round(time.process_time() - begun, 1)
    return made | {"orders": whole["orders"], "chi_square": whole["chi_square"], "data": _compact(whole["data"])}


def _compact(node: Any) -> Any:
    """Sampled values, errors and partial sums of theory alone."""
    if "sampled" in node:  # a component
        kept = {key: node[key] for key in ("sampled", "error", "theory", "theory_error")}
        return {key: [_short(one) for one in v] if isinstance(v, list) else _short(v) for key, v in kept.items()}
    return {key: _compact(child) for key, child in node.get("components", node).items()}


def _short(value: float) -> float:
    return float(f"{value:.8g}")


def text_of(document: Any, depth: int = 0) -> str:
    """JSON with a line a component, which a reader can follow and git can compare."""
    if isinstance(document, dict) and any(isinstance(value, dict) for value in document.values()):
        rows = (f"{json.dumps(key)}: {text_of(value, depth + 1)}" for key, value in document.items())
        return "{\n" + ",\n".join(" " * (depth + 1) + row for row in rows) + "\n" + " " * depth + "}"
    return json.dumps(document)


def make_data(runs: list[str], times: float) -> None:
    """Sample what is not there yet."""
    missing = {run: asked for run in runs if not is_made(run, asked := request(run, times))}
    os.chdir(HERE)
    for number, (run, asked) in enumerate(missing.items(), 1):
        print(f"[{number}/{len(missing)}] {run}: {asked['networks']} networks a width", file=sys.stderr, flush=True)
        made = sample(run, asked, HERE / "data")
        (HERE / "data" / f"{run}.json").write_text(text_of(made) + "\n")


def draw(name: str, figure: Document) -> None:
    """NAME.pdf and NAME.png, in few colours, which makes it small."""
    from ntkfeyn.figures.style import drawing, save
    from PIL import Image

    from panels import draw as drawn
    from points import documents_of

    with drawing() as Figure:
        save(drawn(Figure, figure, documents_of(figure)), HERE, name)
    with Image.open(HERE / f"{name}.png") as picture:
        few = picture.convert("RGB").quantize(64)
    few.save(HERE / f"{name}.png", optimize=True)


def contact_sheet(names: list[str], wide: int = 420) -> None:
    """all.png: every picture, small, in a few colours."""
    from PIL import Image

    small = []
    for name in names:
        with Image.open(HERE / f"{name}.png") as picture:
            scale = min(wide / picture.width, 0.75 * wide / picture.height)
            size = round(picture.width * scale), round(picture.height * scale)
            small.append(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS))
    columns = 5
    sheet = Image.new("RGB", (columns * wide, -(-len(small) // columns) * round(0.75 * wide)), "white")
    for place, one in enumerate(small):
        row, column = divmod(place, columns)
        sheet.paste(one, (column * wide, row * round(0.75 * wide)))
    sheet.quantize(128).save(HERE / "all.png", optimize=True)


def main() -> None:
    """Data, then pictures, then the contact sheet and the tables."""
    listed = figures()
    parser = argparse.ArgumentParser(description="Figures and tables of arXiv 2508.11522 again.")
    parser.add_argument("names", nargs="*", help=f"any of {', '.join(listed)}; without: all")
    parser.add_argument("--networks", type=float, default=1.0, metavar="X", help="times the networks of the run files")
    parser.add_argument("--data", action="store_true", help="sample alone")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in listed]
    if unknown:
        parser.error(f"no figure {', '.join(unknown)}; there are {', '.join(listed)}")
    names = given.names or list(listed)
    own = (run for name in names for run in listed[name]["runs"] if not run.startswith(".."))
    make_data(list(dict.fromkeys(own)), given.networks)
    if given.data:
        return
    for name in names:
        draw(name, listed[name])
    if all((HERE / f"{name}.png").is_file() for name in listed):
        from tables import readme

        contact_sheet(list(listed))
        (HERE / "README.md").write_text(readme(listed))
    print(f"{len(names)} figures in {HERE}", file=sys.stderr)


if __name__ == "__main__":
    main()
