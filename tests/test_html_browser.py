"""The HTML atlas in a browser: hovering, clicking, searching, copying and walking do what the page says they do.

Skipped where there is no Chromium; tests/run installs one where apt-get may.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from oracles.browser import Browser, program

ATLAS = Path(__file__).parent.parent / "outputs" / "atlas"
PAGE, SMALLER = ATLAS / "Theta_2_closure.html", ATLAS / "order1.html"
DATA: dict[str, Any] = json.loads(re.search(r'id="data">(.*?)</script>', PAGE.read_text())[1])  # type: ignore[index]

pytestmark = pytest.mark.skipif(program() is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Browser]:
    """The larger page, fresh, on a desktop; the console may not complain, and nothing else may be asked for."""
    browser.resize(1200, 900)
    browser.errors.clear()
    browser.requests.clear()
    browser.open(PAGE)
    yield browser
    assert browser.errors == []
    assert {url.split("#")[0] for url in browser.requests} <= {PAGE.as_uri(), SMALLER.as_uri()}


def by_id(id: str) -> str:
    return f'[id="{id}"]'


def lit(page: Browser) -> list[str]:
    """What is lit: diagrams by their ids, terms by theirs in brackets."""
    kind = "e.classList.contains('term') ? `[${e.dataset.d}]` : e.id"
    return list(page.run(f"[...document.querySelectorAll('.lit')].map((e) => {kind})"))


def test_pointing_at_a_term_lights_its_diagrams(page: Browser) -> None:
    several = next(d for d in page.run("[...document.querySelectorAll('.term')].map((e) => e.dataset.d)") if " " in d)
    page.hover(f'.term[data-d="{several}"]')
    assert sorted(lit(page)) == sorted([f"[{several}]", *several.split()])
    page.hover("h1")
    assert lit(page) == []


def test_pointing_at_a_diagram_lights_its_terms(page: Browser) -> None:
    terms = page.run("[...document.querySelectorAll('.term')].map((e) => e.dataset.d)")
    for id in ("V:1:1", "D:2:7", "Theta:1:3"):
        own = [f"[{d}]" for d in terms if id in d.split()]
        assert own
        page.hover(by_id(id))
        assert sorted(lit(page)) == sorted([id, *own])


def test_the_keyboard_lights_them_too(page: Browser) -> None:
    page.run("document.querySelector('.term .of a[href=\"#D%3A1%3A3\"]').focus()")
    assert "D:1:3" in lit(page)
    page.press("Enter")
    assert page.run("document.activeElement.id") == "D:1:3"
    assert [one for one in lit(page) if one.startswith("[")]


def test_the_way_of_the_tab_key(page: Browser) -> None:
    stops = []
    for _ in range(4):
        page.press("Tab")
        stops.append(page.run("document.activeElement.id || document.activeElement.className || 'other'"))
    assert stops[:3] == ["skip", "search", "theme"]
    ring = page.run("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


@pytest.mark.parametrize("id", ["D:2:7", "C0C0R1:2:3"])
def test_a_click_explains_step_by_step(id: str, page: Browser) -> None:
    page.click(by_id(id))
    assert page.run("document.getElementById('explained').open")
    assert id in page.run("document.getElementById('explained-title').textContent")
    steps = DATA["diagrams"][id]["steps"]
    shown = page.run(
        "[...document.querySelectorAll('.step')].map((e) => [e.querySelector('summary').textContent,"
        " ...[...e.querySelectorAll('p')].map((p) => p.textContent)])"
    )[: len(steps)]
    assert [one[0] for one in shown] == [f"{k}. {spoken(step[0])}" for k, step in enumerate(steps, start=1)]
    for (_, *rows), (_, *lines) in zip(steps, shown, strict=True):
        assert lines == [spoken(row) for row in rows[1::2]]
    terms = len(DATA["diagrams"][id]["terms"])
    assert page.run("document.querySelectorAll('#explained-body > .its math').length") == terms
    assert page.run("document.querySelectorAll('#explained-body > .pic svg').length") == 1


def spoken(sentence: int) -> str:
    """A sentence of the page's data, its formulas without their marks."""
    parts = enumerate(DATA["sentences"][sentence])
    markup = "".join("".join(DATA["pieces"][place] for place in part) if k % 2 else part for k, part in parts)
    return re.sub(r"<[^>]*>", "", markup)


def test_formulas_of_an_explanation_are_set_as_such(page: Browser) -> None:
    page.click(by_id("V:1:2"))
    name = "http://www.w3.org/1998/Math/MathML"
    below = page.run(
        f"[...document.querySelectorAll('.step msub')].filter((e) => e.namespaceURI === '{name}')"
        ".map((e) => e.lastChild.textContent)"
    )
    assert {"b1", "1234", "ℓ−1"} <= set(below)
    assert not [p for p in page.run("[...document.querySelectorAll('.step p')].map((e) => e.textContent)") if "_" in p]


def test_members_of_omega_are_explained(page: Browser) -> None:
    """From their diagram to each of them, on to the next, and back; with pictures and what they give."""
    page.click(by_id("D:2:3"))
    rows = "[...document.querySelectorAll('.members li')]"
    assert page.run(f"{rows}.map((e) => e.querySelector('.id').textContent)") == ["D:2:3a", "D:2:3b"]
    assert page.run(f"{rows}.map((e) => [e.querySelectorAll('svg').length, e.querySelectorAll('math').length])") == [
        [1, len(DATA["diagrams"][id]["terms"])] for id in ("D:2:3a", "D:2:3b")
    ]
    page.click('.members [data-explain="D:2:3a"]')
    title = "document.getElementById('explained-title').textContent"
    assert page.run(title) == "D:2:3a, part of D:2:3: how the diagram becomes its term"
    assert page.run("document.querySelectorAll('#explained-body > .pic svg').length") == 1
    page.press("ArrowRight")  # the keyboard is still in the dialog, though what had it is gone
    assert page.run(title).startswith("D:2:3b, part of D:2:3:")
    page.press("ArrowRight")
    assert page.run(title).startswith("D:2:3b, part of D:2:3:")
    assert page.run("document.getElementById('next').ariaDisabled") == "true"
    page.click("#explained-title .link")
    assert page.run(title) == "D:2:3: how the diagram becomes its term"
    page.press("Escape")
    assert page.run("document.activeElement.id") == "D:2:3"


def travel(page: Browser, way: str) -> None:
    """Goes to another address of the page and waits until it knows."""
    page.run(f"new Promise((done) => {{ addEventListener('popstate', () => done(0), {{ once: true }}); {way}; }})")


def test_an_explanation_has_an_address(page: Browser) -> None:
    """Going back leaves it, going on and a link come to it; closed, the address is that of the diagram."""
    opened = "document.getElementById('explained').open"
    page.click(by_id("D:1:1"))
    assert page.run("location.hash") == "#explain=D%3A1%3A1"
    travel(page, "history.back()")
    assert (page.run(opened), page.run("location.hash")) == (False, "")
    travel(page, "history.forward()")
    assert page.run(opened)
    page.press("Escape")
    assert page.run("decodeURIComponent(location.hash)") == "#D:1:1"
    travel(page, "location.hash = '#explain=D%3A1%3A2a'")
    assert page.run("document.getElementById('explained-title').textContent").startswith("D:1:2a, part of D:1:2:")
    travel(page, "location.hash = '#explain=nothing'")
    assert not page.run(opened)


def test_going_on_and_closing(page: Browser) -> None:
    page.click(by_id("D:1:1"))
    page.click("#next")
    assert page.run("document.getElementById('explained-title').textContent").startswith("D:1:2:")
    page.press("ArrowRight")
    page.click("#previous")
    assert page.run("document.getElementById('explained-title').textContent").startswith("D:1:2:")
    page.press("Escape")
    assert not page.run("document.getElementById('explained').open")
    assert page.run("document.activeElement.id") == "D:1:2"


def test_searching(page: Browser) -> None:
    page.press("/")
    assert page.run("document.activeElement.id") == "search"
    for letter in "D:2:7":
        page.press(letter)
    assert page.run("document.querySelector('#found a').firstChild.data") == "D:2:7"
    page.press("Enter")
    assert page.run("decodeURIComponent(location.hash)") == "#D:2:7"
    assert page.run("document.activeElement.id") == "D:2:7"
    assert not page.run("document.getElementById('explained').open")
    assert page.run("document.getElementById('found').hidden")
    page.run("(() => { const s = document.getElementById('search'); s.value = ''; s.focus(); })()")
    for letter in "zebra":
        page.press(letter)
    nothing = "Nothing on this page has all of these words."
    assert page.run("document.getElementById('found').textContent") == nothing
    assert page.run("document.getElementById('told').textContent") == nothing
    page.press("Escape")
    assert page.run("document.getElementById('found').hidden")


def test_searching_words_of_explanations(page: Browser) -> None:
    page.run(
        "(() => { const s = document.getElementById('search'); s.value = 'loop tensor V_'; s.value = 'λ_W new';"
        " s.dispatchEvent(new Event('input')); })()"
    )
    found = page.run("[...document.querySelectorAll('#found a')].map((e) => e.firstChild.data)")
    assert "Theta:0:1" in found
    assert "V:1:1" not in found
    for words in ("lambda_W new", "Λ_W NEW"):
        page.run(f"(() => {{ const s = document.getElementById('search'); s.value = '{words}'; s.focus(); }})()")
        page.run("document.getElementById('search').dispatchEvent(new Event('input'))")
        assert page.run("[...document.querySelectorAll('#found a')].map((e) => e.firstChild.data)") == found
    page.run("[...document.querySelectorAll('#found a')].find((e) => e.firstChild.data === 'Theta:0:1a').click()")
    assert page.run("document.getElementById('explained-title').textContent").startswith("Theta:0:1a, part of")


@pytest.mark.parametrize("kind", ["latex", "sympy", "python", "id"])
def test_copying(kind: str, page: Browser) -> None:
    page.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.click(f'{by_id("Theta@1")} [data-copy="{kind}"]')
    wanted = "Theta@1" if kind == "id" else DATA["recursions"]["Theta@1"][kind]
    assert page.run("window.copied") == wanted
    assert "copied" in page.run("document.getElementById('said').textContent")


def test_copying_where_the_clipboard_is_refused(page: Browser) -> None:
    page.run("navigator.clipboard.writeText = async () => { throw new Error('no'); }")
    page.run("document.addEventListener('copy', () => { window.copied = String(document.getSelection()); })")
    page.run(
        "document.execCommand = () => { const a = document.activeElement;"
        " window.copied = a.value.slice(a.selectionStart, a.selectionEnd); return true; }"
    )
    page.click(by_id("F:1:2"))
    for number, name in enumerate(("LaTeX", "SymPy", "Python"), start=2):
        page.click(f"#explained-body .copies :nth-child({number})")
        assert page.run("window.copied") == DATA["diagrams"]["F:1:2"][name.lower()]
        assert page.run("document.getElementById('said').textContent") == f"{name} copied"


def test_walking_the_graph(page: Browser) -> None:
    nodes = page.run("[...document.querySelectorAll('.node')].map((e) => [e.dataset.node, e.dataset.needs])")
    needs = {node: set(found.split()) for node, found in nodes}
    page.hover('[data-node="F@1"]')
    users = {node for node, found in needs.items() if "F@1" in found}
    near = set(page.run("[...document.querySelectorAll('.node.near')].map((e) => e.dataset.node)"))
    assert near == {"F@1", *needs["F@1"], *users}
    assert page.run("document.getElementById('walk').textContent").startswith("F@1 needs ")
    page.run("document.querySelector('[data-node=\"K@0\"]').focus()")
    for _ in range(3):
        before = page.run("document.activeElement.dataset.node")
        page.press("ArrowDown")
        after = page.run("document.activeElement.dataset.node")
        assert before in needs[after]
    page.press("ArrowUp")
    assert page.run("document.activeElement.dataset.node") in needs[after]
    there = page.run("document.activeElement.dataset.node")
    page.press("Enter")
    assert page.run("decodeURIComponent(location.hash)") == f"#{there}"


def test_light_and_dark(page: Browser) -> None:
    def colours() -> tuple[int, int]:
        both = page.run("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
        back, text = (sum(map(int, re.findall(r"\d+", one)[:3])) for one in both)
        return back, text

    page.click("#theme")
    back, text = colours()
    assert back > text
    page.click("#theme")
    back, text = colours()
    assert back < text
    assert page.run("document.getElementById('theme').getAttribute('aria-label')") == "Colours: dark"


@pytest.mark.parametrize("path", [PAGE, SMALLER], ids=lambda path: path.stem)
def test_on_a_phone_nothing_is_wider_than_the_screen(path: Path, page: Browser) -> None:
    page.resize(360, 740, mobile=True)
    page.open(path)
    wide = "document.documentElement.scrollWidth"
    assert page.run("innerWidth") == 360
    assert page.run(wide) == 360
    page.run("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    assert page.run(wide) == 360
    over = page.run(
        "[...document.querySelectorAll('main *')].filter((e) => !e.closest('.scroll')"
        " && e.getBoundingClientRect().right > 361).map((e) => e.outerHTML.slice(0, 80))"
    )
    assert over == []
    wider = "(e) => e.scrollWidth > e.clientWidth + 1"
    assert page.run(f"[...document.querySelectorAll('.scroll')].filter({wider}).length") > 5
    page.click(".diagram")
    assert page.run(f"({wider})(document.getElementById('explained'))") is False
    x, right = page.run("(({x, right}) => [x, right])(document.getElementById('explained').getBoundingClientRect())")
    assert (x >= 0, right <= 360) == (True, True)
    page.press("Escape")
    page.run("scrollTo(0, 0)")
    page.press("/")
    page.press("d")
    x, right = page.run("(({x, right}) => [x, right])(document.getElementById('found').getBoundingClientRect())")
    assert 0 <= x < 100 < right <= 360


def test_on_a_desktop_cumulants_break_instead_of_being_cut(page: Browser) -> None:
    page.resize(1320, 900)  # three cards beside each other, as narrow as they get
    cut = "[...document.querySelectorAll('.card .scroll')].filter((e) => e.scrollWidth > e.clientWidth)"
    assert page.run(f"{cut}.map((e) => e.closest('.card').ariaLabel)") == []
    tall = "[...document.querySelectorAll('.card')].map((e) => e.querySelector('.scroll').clientHeight)"
    assert page.run(f"{tall}.filter((h) => h > 45).length") == 1  # C000's, of two lines


def test_print_leaves_out_what_is_for_the_screen(page: Browser) -> None:
    every = "[...document.querySelectorAll('.term math')].map((e) => e.getBoundingClientRect().width)"
    wide = sum(width > 800 for width in page.run(every))
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run("document.querySelectorAll('.term math[style]').length") == wide > 0
    page.call("Emulation.setEmulatedMedia", media="print")
    shown = page.run(
        "['nav', '.tools', '.copies', '.terms', '.diagram', 'h1'].filter((s) =>"
        " getComputedStyle(document.querySelector(s)).display !== 'none')"
    )
    widths = page.run(every)
    page.call("Emulation.setEmulatedMedia", media="")
    assert 300 < max(widths) < 520
    assert shown == [".terms", ".diagram", "h1"]


def test_an_explanation_is_printed_alone(page: Browser) -> None:
    """All of it, on as many pages as it takes, and nothing of what lies behind."""
    page.open(SMALLER)
    assert pages_of(page.pdf()) > 10
    page.click(by_id("D:1:2"))
    assert 1 < pages_of(page.pdf()) < 6
    page.call("Emulation.setEmulatedMedia", media="print")
    displayed = "(e) => getComputedStyle(e).display !== 'none'"
    shown = page.run(f"[...document.body.children].filter({displayed}).map((e) => e.id)")
    page.call("Emulation.setEmulatedMedia", media="")
    assert shown == ["explained"]


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_everything_that_can_be_used_has_a_name(page: Browser) -> None:
    """As the browser tells screen readers."""
    page.open(SMALLER)
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    used = [
        n for n in nodes if n.get("role", {}).get("value") in ("button", "link", "searchbox", "group", "navigation")
    ]
    named = [n for n in used if n.get("name", {}).get("value", "").strip()]
    assert len(named) > 150
    roles = {n["role"]["value"] for n in used if n not in named and not n.get("ignored")}
    assert roles <= {"group"}
    diagrams = [n["name"]["value"] for n in named if n["name"]["value"].startswith("Diagram ")]
    assert len(diagrams) == page.run("document.querySelectorAll('.diagram').length") > 20
