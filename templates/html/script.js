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

  const raised = /([_^])(\{(?:[^{}]|\{[^{}]*\})*\}|\([^()]*\)|-?[\p{L}\p{N}]+)/gu;
  const typeset = (element, text) => { // V_{b1 b2}^-1 with its index below and its exponent above
    let at = 0;
    for (const match of text.matchAll(raised)) {
      const [whole, kind, script] = match, inner = kind === "_" && /^[{(]/.test(script) ? script.slice(1, -1) : script;
      element.append(text.slice(at, match.index), made(kind === "_" ? "sub" : "sup", inner.replace("-", "−")));
      at = match.index + whole.length;
    }
    element.append(text.slice(at));
    return element;
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

  // --- a link to a diagram brings the keyboard there ---
  const arrive = (hash) => {
    let target = null;
    try { target = $(decodeURIComponent(hash.slice(1))); } catch { return false; }
    if (!target?.classList.contains("diagram")) return false;
    if (location.hash !== hash) location.hash = hash;
    target.focus();
    return true;
  };
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href^='#']");
    if (link && arrive(link.getAttribute("href"))) event.preventDefault();
  });

  // --- explanations ---
  const dialog = $("explained"), body = $("explained-body");
  const order = all(".diagram").map((one) => one.id);
  let shown = "", origin = null;
  const copyButton = (name, text) => {
    const button = made("button", name);
    button.type = "button";
    button.addEventListener("click", () => copy(text, name));
    return button;
  };
  const explain = (id) => {
    const about = data.diagrams[id], button = $(id);
    shown = id;
    $("explained-title").textContent = `${id}: how the diagram becomes its term`;
    body.replaceChildren();
    const picture = made("div", undefined, "pic");
    picture.append(button.querySelector("svg").cloneNode(true));
    const terms = made("div", undefined, "its");
    for (const one of holders.get(id))
      if (one.classList.contains("term")) terms.append(one.querySelector(".scroll").cloneNode(true));
    if (!terms.childElementCount) terms.append(made("p", "Its terms cancel against others."));
    const copies = made("div", undefined, "buttons copies");
    copies.setAttribute("role", "group");
    copies.setAttribute("aria-label", `Copy ${id}`);
    const caption = made("span", "Copy");
    copies.append(caption, copyButton("LaTeX", about.latex), copyButton("Python", about.python), copyButton("id", id));
    body.append(picture, terms, copies);
    about.steps.forEach(([title, ...rows], number) => {
      const step = made("details", undefined, "step");
      step.open = true;
      step.append(made("summary", `${number + 1}. ${data.sentences[title]}`));
      for (let k = 0; k !== rows.length; k += 2) {
        const line = made("p", undefined, `t${Math.min(rows[k], 3)}`);
        step.append(typeset(line, data.sentences[rows[k + 1]]));
      }
      body.append(step);
    });
    const at = order.indexOf(id);
    $("previous").disabled = at === 0;
    $("next").disabled = at === order.length - 1;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  };
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("button.diagram");
    if (button) { origin = button; explain(button.id); }
  });
  const step = (by) => { const id = order[order.indexOf(shown) + by]; if (id) explain(id); };
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  $("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("close", () => { (shown && $(shown) || origin)?.focus(); });

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
  const field = $("search"), found = $("found");
  const plain = (text) => text.toLowerCase();
  let entries = null;
  const index = () => all("[data-recursion]").flatMap((one) => {
    const id = one.dataset.recursion;
    const about = one.querySelector(".meta").textContent.replace(/\s+/g, " ").trim();
    const own = { id, about, text: plain(`${id} ${one.querySelector("h2").textContent} ${about}`) };
    return [own, ...all(".diagram", one).map((diagram) => {
      const rows = data.diagrams[diagram.id].steps.flatMap(([title, ...rest]) => rest.filter((_, k) => k % 2));
      const sentences = rows.map((row) => data.sentences[row]);
      return { id: diagram.id, about: "", sentences, text: plain(`${diagram.id} ${sentences.join(" ")}`) };
    })];
  });
  const search = () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    found.replaceChildren();
    found.hidden = !words.length;
    if (!words.length) return;
    entries ??= index();
    const score = (one) => (plain(one.id) === words.join(" ") ? 0 : plain(one.id).startsWith(words[0]) ? 1 : 2);
    const hits = entries.filter((one) => words.every((word) => one.text.includes(word))).sort((a, b) => score(a) - score(b));
    const many = made("p", hits.length === 1 ? "1 place" : `${hits.length} places`);
    many.setAttribute("role", "status");
    found.append(many);
    for (const hit of hits.slice(0, 40)) {
      const link = made("a", hit.id);
      link.href = `#${encodeURIComponent(hit.id)}`;
      const line = hit.about || hit.sentences.find((text) => words.some((word) => plain(text).includes(word))) || "";
      link.append(made("small", line));
      found.append(link);
    }
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
