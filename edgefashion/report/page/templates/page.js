"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Tables are sorted by their columns' titles.
  const number = (text) => {
    const found = text.replaceAll(",", "").replaceAll("\u2212", "-").match(/[-+]?\d+(\.\d+)?(e[-+]?\d+)?/);
    return found ? Number(found[0]) : NaN;
  };
  const compare = (numeric) => (one, other) => {
    if (!numeric) return one.localeCompare(other, "en", { numeric: true });
    const [a, b] = [number(one), number(other)];
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return a - b;
  };
  const sort = (table, place, title) => {
    const head = table.tHead.rows[0].cells[place];
    const numeric = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const way = before ? (before === "ascending" ? "descending" : "ascending") : numeric ? "descending" : "ascending";
    const text = (row) => row.cells[place].textContent.trim();
    const empty = (row) => (numeric ? Number.isNaN(number(text(row))) : text(row) === "\u2013");
    const rows = [...table.tBodies[0].rows];
    const known = rows.filter((row) => !empty(row));
    known.sort((one, other) => (way === "ascending" ? 1 : -1) * compare(numeric)(text(one), text(other)));
    table.tBodies[0].append(...known, ...rows.filter(empty));
    for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way);
    byId("live").textContent = `sorted by ${title}, ${way}`;
  };
  for (const table of all("table.sortable")) {
    if (table.tBodies[0].rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((cell, place) => {
      const title = cell.textContent.trim();
      const button = document.createElement("button");
      button.type = "button";
      button.append(...cell.childNodes);
      button.addEventListener("click", () => sort(table, place, title));
      cell.replaceChildren(button);
    });
  }

  // A table that is wider than the window is scrolled with the arrow keys.
  const regions = all(".scroll");
  const reach = () => {
    for (const region of regions) {
      if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
      else region.removeAttribute("tabindex");
    }
  };
  reach();
  addEventListener("resize", reach);
  document.addEventListener("toggle", reach, true);

  // Marks of a chart tell their figures.
  const tip = byId("tip");
  const tell = (point) => {
    tip.textContent = point.getAttribute("aria-label");
    tip.hidden = false;
    const at = point.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left + at.width / 2 - tip.offsetWidth / 2), innerWidth - tip.offsetWidth - 8);
    const above = at.top - tip.offsetHeight - 10;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 8 ? above : at.bottom + 10}px`;
  };
  const hush = () => { tip.hidden = true; };
  addEventListener("scroll", hush, { passive: true });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hush(); });
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  for (const chart of all("svg.chart")) {
    const points = all(".point", chart);
    const across = (point) => point.getBoundingClientRect().left;
    points.sort((one, other) => across(one) - across(other));
    const enter = (point) => {
      for (const each of points) each.setAttribute("tabindex", each === point ? "0" : "-1");
      point.focus();
    };
    points.forEach((point, place) => {
      point.setAttribute("tabindex", place ? "-1" : "0");
      for (const kind of ["pointerenter", "focus"]) point.addEventListener(kind, () => tell(point));
      for (const kind of ["pointerleave", "blur"]) point.addEventListener(kind, hush);
      point.addEventListener("keydown", (event) => {
        const next = points[place + steps[event.key]] ?? { Home: points[0], End: points.at(-1) }[event.key];
        if (!next) return;
        event.preventDefault();
        enter(next);
      });
    });
  }

  // A cell of a confusion matrix opens its images.
  const pictures = JSON.parse(byId("pictures").textContent);
  const gallery = byId("gallery");
  const item = ([source, caption]) => {
    const [part, image, words] = ["li", "img", "span"].map((name) => document.createElement(name));
    image.src = source;
    image.alt = "";
    words.textContent = caption;
    part.append(image, words);
    return part;
  };
  for (const button of all("button[data-cell]")) {
    button.addEventListener("click", () => {
      const shown = pictures[button.dataset.model][button.dataset.cell];
      const title = button.getAttribute("aria-label").replace(/, show images$/, "");
      const part = shown.length < number(button.textContent) ? `, the surest ${shown.length}` : "";
      byId("gallery-title").textContent = title + part;
      gallery.querySelector("ul").replaceChildren(...shown.map(item));
      gallery.showModal();
    });
  }
  byId("close").addEventListener("click", () => gallery.close());
  gallery.addEventListener("click", (event) => { if (event.target === gallery) gallery.close(); });

  // What is folded up is printed too.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => { for (const each of opened) each.open = false; });
})();
