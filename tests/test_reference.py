"""The reference: the command of the README makes pages that say everything, link to what is there and are the same."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest

import ntkfeyn as nf

ROOT = Path(__file__).parent.parent
PAGES = {"ntkfeyn": nf, "ntkfeyn/records": nf.records, "ntkfeyn/symbols": nf.symbols}


class Page(HTMLParser):
    """Ids, links, and below each id of a section what stands there: its head, and the docstring."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.heads: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.here, self.into = "", self.heads
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        known = {name: value or "" for name, value in attributes}
        self.ids |= {known["id"]} - {""} if "id" in known else set()
        self.links |= {known["href"]} if tag == "a" and "href" in known else set()
        if tag == "section" or known.get("class") == "classattr":
            self.here = known.get("id", "")
        kind = known.get("class", "").split()
        if tag == "div" and kind[:1] in (["attr"], ["docstring"]):
            self.into = self.heads if kind[0] == "attr" else self.texts

    def handle_data(self, data: str) -> None:
        self.into[self.here] = self.into.get(self.here, "") + data


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two builds, which differ in what Python may order by."""
    [line] = re.findall(r"^    pip install '\.\[docs\]' && (pdoc .*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    words = [sys.executable, "-m", *shlex.split(line)]
    folders = [tmp_path_factory.mktemp("reference") for _ in range(2)]
    runs = [
        subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, env={**os.environ, "PYTHONHASHSEED": str(seed)})
        for seed, folder in enumerate(folders, 1)
    ]
    for run in runs:
        said = run.communicate()[1].decode()
        assert (run.returncode, said) == (0, "")
    return folders[0] / "api", folders[1] / "api"


@pytest.fixture(scope="module")
def pages(built: tuple[Path, Path]) -> Mapping[str, Page]:
    return {name: Page((built[0] / f"{name}.html").read_text()) for name in PAGES}


def test_the_pages_are_the_same_and_name_no_machine(built: tuple[Path, Path]) -> None:
    first, second = ({str(p.relative_to(at)): p.read_text() for p in at.rglob("*.*")} for at in built)
    assert first == second
    assert set(first) == {f"{name}.html" for name in PAGES} | {"index.html", "search.js"}
    for name, text in first.items():
        assert not re.findall(r"0x[0-9a-f]{6,}", text), name
        for path in (ROOT, Path(sys.prefix), built[0].parent):
            assert f"{path}/" not in text, name


@pytest.mark.parametrize("name", PAGES)
def test_every_public_name_is_on_its_page(name: str, pages: Mapping[str, Page]) -> None:
    """With its arguments and every word of its docstring: what looks like a tag is no text, nor is 1. a list."""
    page = pages[name]
    assert "ol" not in page.tags
    for one in PAGES[name].__all__:
        found = getattr(PAGES[name], one)
        if inspect.ismodule(found):
            continue
        told = page.texts.get(one, "")
        assert len(told.split()) > 1, one
        if inspect.isroutine(found):
            assert all(argument in page.heads[one] for argument in inspect.signature(found).parameters), one
        if inspect.isroutine(found) or inspect.isclass(found):
            assert set(re.findall(r"\w+", inspect.getdoc(found) or "")) <= set(re.findall(r"\w+", told)), one


def test_every_link_leads_somewhere(pages: Mapping[str, Page]) -> None:
    ids = {f"{name}.html": page.ids for name, page in pages.items()}
    for name, page in pages.items():
        for link in page.links - {"https://pdoc.dev"}:
            target, part = urldefrag(urljoin(f"{name}.html", link))
            assert target in ids, link
            assert not part or part in ids[target], link
