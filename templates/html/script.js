"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const made = (tag, text, kind) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };

  // formulas are places of pieces of MathML; sentences are words, formula, words, ..
  const parsed = (markup) => {
    const template = document.createElement("template");
    template.innerHTML = markup;
    return template.content.firstChild;
  };
  const math = (formula, kind = "") => parsed(`<math${kind}>${formula.map((k) => data.pieces[k]).join("")}</math>`);
  const leading = (id, text = id) => { // a button that explains another diagram
    const button = made("button", text);
    button.type = "button";
    button.dataset.explain = id;
    return button;
  };
  const link = (id) => Object.assign(leading(id), { className: "link" });
  const linked = (words) => words.split(/(?<=\s)|(?=[\s;,.]+(?:\s|$))/).map((word) => (
    Object.hasOwn(data.diagrams, word) ? link(word) : word));
  const written = (element, sentence, links = false) => {
    element.append(...sentence.flatMap((part, k) => (k % 2 ? math(part) : links ? linked(part) : part)));
    return element;
  };
  const scrolled = (formula) => {
    const line = made("div", undefined, "scroll");
    line.append(math(formula, ' display="block"'));
    return line;
  };

  // --- terms and diagrams light each other up ---
  const marked = all("[data-d]");
  const holders = new Map();
  for (const element of marked)
    for (const id of element.dataset.d.split(" ")) if (id) holders.set(id, [...(holders.get(id) ?? []), element]);
  const light = (element) => {
    for (const one of all(".lit")) one.classList.remove("lit");
    if (!element) return;
    element.classList.add("lit");
    for (const id of element.dataset.d.split(" "))
      for (const other of holders.get(id) ?? [])
        if (other.classList.contains("term") !== element.classList.contains("term")) other.classList.add("lit");
  };
  const near = (event) => (event.target instanceof Element ? event.target.closest("[data-d]") : null);
  document.addEventListener("pointerover", (event) => light(near(event)));
  document.addEventListener("focusin", (event) => light(near(event)));
  document.addEventListener("focusout", () => light(null));
  document.documentElement.addEventListener("pointerleave", () => light(null));

  // --- explanations: each has an address, so that links lead to it and going back leaves it ---
  const dialog = $("explained"), body = $("explained-body");
  const drawn = all(".diagram").map((one) => one.id);
  const address = (id) => `#explain=${encodeURIComponent(id)}`;
  const partOf = (id) => data.diagrams[id].part ?? id;
  const besides = (id) => (data.diagrams[id].part ? data.diagrams[partOf(id)].members : drawn);
  const pictureOf = (id) => {
    const picture = made("span", undefined, "pic"), about = data.diagrams[id];
    picture.append(about.part ? parsed(about.picture) : $(id).querySelector("svg").cloneNode(true));
    return picture;
  };
  let shown = "";
  const copyButton = (name, text) => {
    const button = made("button", name);
    button.type = "button";
    button.addEventListener("click", () => copy(text, name));
    return button;
  };
  const copiesOf = (id) => {
    const about = data.diagrams[id], copies = made("div", undefined, "buttons copies"), caption = made("span", "Copy");
    copies.setAttribute("role", "group");
    copies.setAttribute("aria-label", `Copy ${id}`);
    caption.setAttribute("aria-hidden", "true");
    const texts = [["LaTeX", about.latex], ["SymPy", about.sympy], ["Python", about.python], ["id", id]];
    copies.append(caption, ...texts.map(([name, text]) => copyButton(name, text)));
    return copies;
  };
  const stepOf = ([title, ...rows], number) => {
    const step = made("details", undefined, "step");
    step.open = true;
    step.append(written(made("summary", `${number + 1}. `), data.sentences[title]));
    for (let k = 0; k !== rows.length; k += 2)
      step.append(written(made("p", undefined, `t${Math.min(rows[k], 3)}`), data.sentences[rows[k + 1]], true));
    return step;
  };
  const membersOf = (id) => { // what Omega merges, each with what it gives
    const list = made("ul", undefined, "members");
    for (const member of data.diagrams[id].members) {
      const row = made("li"), terms = made("div", undefined, "its"), button = leading(member, "");
      button.className = "diagram";
      button.setAttribute("aria-label", `Diagram ${member}, part of ${id}: explain`);
      button.append(pictureOf(member), made("span", member, "id"));
      terms.append(...data.diagrams[member].terms.map(scrolled));
      row.append(button, terms);
      list.append(row);
    }
    const apart = made("details", undefined, "step");
    apart.open = true;
    apart.append(written(made("summary"), data.sentences[data.apart]), list);
    return apart;
  };
  const show = (id) => {
    const about = data.diagrams[id], terms = made("div", undefined, "its"), around = besides(id), at = around.indexOf(id);
    shown = id;
    const whole = about.part ? [", part of ", link(about.part)] : [];
    $("explained-title").replaceChildren(id, ...whole, ": how the diagram becomes its term");
    terms.append(...about.terms.map(scrolled));
    body.replaceChildren(pictureOf(id), terms, copiesOf(id));
    body.append(...about.steps.map(stepOf));
    if (about.members) body.append(membersOf(id));
    $("previous").ariaDisabled = at === 0; // and not disabled, which would lose the keyboard
    $("next").ariaDisabled = at === around.length - 1;
    if (!dialog.open) dialog.showModal();
    else if (!dialog.contains(document.activeElement)) $("explained-title").focus();
    dialog.scrollTop = 0;
  };
  const explain = (id) => {
    if (dialog.open) history.replaceState(null, "", address(id));
    else history.pushState(null, "", address(id));
    show(id);
  };
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-explain]");
    if (button) explain(button.dataset.explain);
  });
  const step = (by) => {
    const around = besides(shown), id = around[around.indexOf(shown) + by];
    if (id) explain(id);
  };
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  $("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    if (event.target.closest(".scroll")) return; // which arrows move
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("close", () => {
    if (location.hash.startsWith("#explain=")) history.replaceState(null, "", `#${encodeURIComponent(partOf(shown))}`);
    $(partOf(shown)).focus();
  });

  // --- addresses: of a diagram, which gets the keyboard, or of its explanation ---
  const arrive = (hash) => {
    let name = "";
    try { name = decodeURIComponent(hash.slice(1)); } catch { return false; }
    const explained = name.startsWith("explain=") ? name.slice(8) : "", target = $(name);
    if (Object.hasOwn(data.diagrams, explained)) {
      if (location.hash === hash) show(explained);
      else explain(explained);
      return true;
    }
    if (dialog.open) dialog.close();
    if (!target?.classList.contains("diagram")) return false;
    if (location.hash !== hash) location.hash = hash;
    target.focus();
    return true;
  };
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href^='#']");
    if (link && arrive(link.getAttribute("href"))) event.preventDefault();
  });
  addEventListener("popstate", () => arrive(location.hash));

  // --- copying ---
  let quiet = 0;
  const say = (text) => {
    const place = dialog.open ? dialog : document.body;
    place.append($("said"));
    $("said").textContent = text;
    $("said").classList.add("shown");
    clearTimeout(quiet);
    quiet = setTimeout(() => $("said").classList.remove("shown"), 1800);
  };
  const copy = async (text, name) => {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = made("textarea", text, "said");
      (dialog.open ? dialog : document.body).append(area);
      const before = document.activeElement;
      area.select();
      done = document.execCommand("copy");
      area.remove();
      before?.focus();
    }
    say(done ? `${name} copied` : "this browser does not let a page copy");
  };
  for (const button of all("[data-copy]"))
    button.addEventListener("click", () => {
      const id = button.closest("[data-recursion]").dataset.recursion, kind = button.dataset.copy;
      copy(kind === "id" ? id : data.recursions[id][kind], button.textContent);
    });

  // --- the dependency graph ---
  const graph = document.querySelector(".graph"), walk = $("walk");
  const nodes = new Map(all("[data-node]", graph).map((one) => [one.dataset.node, one]));
  const needs = new Map([...nodes].map(([id, one]) => [id, one.dataset.needs.split(" ").filter(Boolean)]));
  const users = new Map([...nodes].map(([id]) => [id, [...nodes.keys()].filter((other) => needs.get(other).includes(id))]));
  const look = (id) => {
    graph.classList.toggle("walking", Boolean(id));
    for (const one of all(".near, .here", graph)) one.classList.remove("near", "here");
    if (!id) return;
    const close = new Set([id, ...needs.get(id), ...users.get(id)]);
    for (const one of close) nodes.get(one)?.classList.add("near");
    nodes.get(id).classList.add("here");
    for (const path of all("path", graph))
      if (path.dataset.from === id || path.dataset.to === id) path.classList.add("near");
    const listed = (ids, none) => ids.join(", ") || none;
    walk.textContent = `${id} needs ${listed(needs.get(id), "nothing else")}; needed by ${listed(users.get(id), "nothing here")}.`;
  };
  const nodeOf = (event) => event.target.closest?.("[data-node]")?.dataset.node;
  graph.addEventListener("pointerover", (event) => look(nodeOf(event)));
  graph.addEventListener("pointerleave", () => look(undefined));
  graph.addEventListener("focusin", (event) => look(nodeOf(event)));
  graph.addEventListener("focusout", () => look(undefined));
  graph.addEventListener("keydown", (event) => {
    const id = nodeOf(event);
    if (!id) return;
    const row = [...nodes.keys()].filter((one) => top(one) === top(id)), at = row.indexOf(id);
    const direct = (side, other) => all("path", graph).filter((one) => one.dataset[side] === id).map((one) => one.dataset[other]);
    const to = {
      ArrowUp: direct("to", "from")[0], ArrowDown: direct("from", "to")[0], ArrowLeft: row[at - 1], ArrowRight: row[at + 1],
    }[event.key];
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    if (to) nodes.get(to).focus();
  });
  const top = (id) => nodes.get(id).querySelector("rect").getAttribute("y");

  // --- search ---
  const field = $("search"), found = $("found"), SHOWN = 40;
  const tell = (text) => { $("told").textContent = text; }; // to screen readers
  const greek = ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma sigma"
    + " tau upsilon phi chi psi omega").split(" ");
  const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/[_^{}]/g, "") // formulas have places instead
    .replace(/[α-ω]/g, (letter) => greek[letter.charCodeAt(0) - 0x3b1]);
  let entries = null, spoken = null;
  const index = () => {
    const letters = data.pieces.map((piece) => parsed(`<math>${piece}</math>`).textContent);
    const said = (part, k) => (k % 2 ? part.map((one) => letters[one]).join("") : part);
    spoken = data.sentences.map((sentence) => plain(sentence.map(said).join("")));
    const explained = (id) => {
      const sentences = data.diagrams[id].steps.flatMap(([title, ...rest]) => rest.filter((_, k) => k % 2));
      const href = data.diagrams[id].part ? address(id) : `#${encodeURIComponent(id)}`;
      return { id, href, sentences, text: plain(id) + " " + sentences.map((one) => spoken[one]).join(" ") };
    };
    return all("[data-recursion]").flatMap((one) => {
      const id = one.dataset.recursion, about = one.querySelector(".meta").textContent.replace(/\s+/g, " ").trim();
      const ids = all(".diagram", one).flatMap((each) => [each.id, ...(data.diagrams[each.id].members ?? [])]);
      const text = plain(`${id} ${one.querySelector("h2").textContent} ${about}`);
      return [{ id, href: `#${encodeURIComponent(id)}`, about, text }, ...ids.map(explained)];
    });
  };
  const search = () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    found.replaceChildren();
    found.hidden = !words.length;
    if (!words.length) return;
    entries ??= index();
    const score = (one) => (plain(one.id) === words.join(" ") ? 0 : plain(one.id).startsWith(words[0]) ? 1 : 2);
    const hits = entries.filter((one) => words.every((word) => one.text.includes(word))).sort((a, b) => score(a) - score(b));
    const places = hits.length === 1 ? "1 place" : `${hits.length} places`;
    const first = hits.length > SHOWN ? `, the first ${SHOWN} of them` : "";
    found.append(made("p", hits.length ? places + first : "Nothing on this page has all of these words."));
    for (const hit of hits.slice(0, SHOWN)) {
      const link = made("a", hit.id);
      link.href = hit.href;
      const line = hit.sentences?.find((one) => words.some((word) => spoken[one].includes(word)));
      link.append(line === undefined ? made("small", hit.about) : written(made("small"), data.sentences[line]));
      found.append(link);
    }
    tell(found.firstChild.textContent);
  };
  field.addEventListener("input", search);
  field.addEventListener("focus", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); found.querySelector("a")?.click(); }
    if (event.key === "ArrowDown") { event.preventDefault(); found.querySelector("a")?.focus(); }
  });
  found.addEventListener("keydown", (event) => {
    const links = all("a", found), at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown") { event.preventDefault(); links[at + 1]?.focus(); }
    if (event.key === "ArrowUp") { event.preventDefault(); (links[at - 1] ?? field).focus(); }
  });
  found.addEventListener("click", (event) => { if (event.target.closest("a")) found.hidden = true; });
  document.addEventListener("click", (event) => { if (!event.target.closest(".search")) found.hidden = true; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !found.hidden) { field.value = ""; search(); field.focus(); }
    if (event.key === "/" && !dialog.open && document.activeElement !== field) { event.preventDefault(); field.focus(); }
  });

  const WIDE = 800; // px on the screen, what a page of A4 takes beside ids

  // --- colours; on a phone the list of recursions begins closed ---
  const themes = [["", "◐ auto", "as the system has them"], ["light", "☀ light", "light"], ["dark", "☾ dark", "dark"]];
  let theme = 0;
  $("theme").addEventListener("click", () => {
    theme = (theme + 1) % themes.length;
    const [name, text, words] = themes[theme];
    if (name) document.documentElement.dataset.theme = name;
    else delete document.documentElement.dataset.theme;
    $("theme").textContent = text;
    $("theme").setAttribute("aria-label", `Colours: ${words}`);
  });
  if (matchMedia("(max-width: 60rem)").matches) document.querySelector("nav details").open = false;
  addEventListener("beforeprint", () => { // paper does not scroll: a formula that is too wide is made smaller
    document.querySelector(".rules").open = true;
    for (const one of all(".term math")) {
      const size = one.getBoundingClientRect().width;
      if (size > WIDE) one.style.setProperty("--fit", (WIDE / size).toFixed(2));
    }
  });
  arrive(location.hash);
})();
