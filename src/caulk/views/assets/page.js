// Sorts the tables and draws the flame graphs of a caulk page. The data stands beside each graph; nothing is fetched.
"use strict";

// The same units as in the rest of the page (caulk/model/units.py).
const SCALES = {
  bytes: [["GB", 2 ** 30], ["MB", 2 ** 20], ["kB", 2 ** 10], ["B", 1]],
  nanoseconds: [["hrs", 3600e9], ["mins", 60e9], ["s", 1e9], ["ms", 1e6], ["us", 1e3], ["ns", 1]],
};

function formatValue(value, unit, signed) {
  const size = Math.abs(value);
  const sign = value < 0 ? "-" : signed && value > 0 ? "+" : "";
  const scale = SCALES[unit];
  if (!scale) return sign + Math.round(size).toLocaleString("en");
  const [name, factor] = scale.find(([, least]) => size >= least) ?? scale.at(-1);
  const scaled = size / factor;
  const digits = factor === 1 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: factor !== 1 };
  return `${sign}${scaled.toLocaleString("en", options)} ${name}`;
}

function formatShare(share) {
  const percent = 100 * share;
  if (percent && Math.abs(percent) < 0.1) return "<0.1 %";
  return `${percent.toFixed(Math.abs(percent) >= 9.95 ? 0 : 1)} %`;
}

function element(tag, content, properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  made.textContent = content;
  return made;
}

// Tables: a click on a heading sorts, largest number or first letter on top; a second click turns the order around.

function sortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = element("button", heading.textContent, { type: "button" });
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const first = heading.classList.contains("number") ? "descending" : "ascending";
      const order = heading.ariaSort === first ? (first === "descending" ? "ascending" : "descending") : first;
      for (const other of headings) other.ariaSort = null;
      heading.ariaSort = order;
      sortRows(table.tBodies[0], column, order === "ascending" ? 1 : -1);
    });
  });
}

function sortRows(body, column, direction) {
  const keyed = [...body.rows].map((row) => {
    const { value } = row.cells[column].dataset;
    return { row, key: value === undefined ? row.cells[column].textContent : Number(value) };
  });
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  keyed.sort((a, b) => direction * compare(a.key, b.key));
  body.append(...keyed.map(({ row }) => row));
}

// Flame graphs. Boxes come callers first and widest first, so a box's callees are those up to `end`, and one pass
// gives every left edge.

const ROW = 20;
const FONT = '12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';
const NARROWEST = 0.5;
// Paper is never dark.
const DARK = globalThis.matchMedia?.("screen and (prefers-color-scheme: dark)");

class Flame {
  constructor(root) {
    this.root = root;
    this.data = JSON.parse(root.querySelector("script").textContent);
    this.weight = this.data.weight ?? this.data.total;
    this.place();
    this.zoomed = 0;
    this.hovered = -1;
    this.pattern = null;
    this.rootBelow = false;
    this.rows = [];
    this.find();
    this.listen();
    this.show();
  }

  find() {
    const part = (selector) => this.root.querySelector(selector);
    this.stage = part(".stage");
    this.space = part(".stage > div");
    this.canvas = part("canvas");
    this.context = this.canvas.getContext("2d");
    this.search = part("input");
    this.matched = part("output");
    this.crumbs = part(".crumbs");
    this.chosen = part(".chosen");
    this.tip = this.root.appendChild(element("div", "", { className: "tip", hidden: true }));
    this.stage.hidden = part(".tools").hidden = false;
    part(".twin").open = false;
  }

  listen() {
    const { canvas, root, stage, search } = this;
    canvas.addEventListener("mousemove", (event) => this.hover(event));
    canvas.addEventListener("mouseleave", () => this.hover(null));
    canvas.addEventListener("click", (event) => this.zoom(this.boxAt(event)));
    canvas.addEventListener("keydown", (event) => this.step(event));
    stage.addEventListener("scroll", () => this.paint());
    search.addEventListener("input", () => this.look());
    root.querySelector(".reset").addEventListener("click", () => this.reset());
    root.querySelector(".flip").addEventListener("click", (event) => {
      this.rootBelow = !this.rootBelow;
      event.target.textContent = this.rootBelow ? "Root on top" : "Root below";
      this.show();
    });
    let width = 0;
    new ResizeObserver(() => {
      if (stage.clientWidth !== width) {
        width = stage.clientWidth;
        this.show();
      }
    }).observe(stage);
    DARK.addEventListener("change", () => this.paint());
  }

  // Left edge, caller and last callee of every box.
  place() {
    const { depth } = this.data;
    const count = depth.length;
    this.left = new Float64Array(count);
    this.parent = new Int32Array(count).fill(-1);
    this.end = new Int32Array(count).fill(count);
    const used = new Float64Array(count);
    const open = [];
    for (let box = 0; box < count; box++) {
      while (open.length > depth[box]) this.end[open.pop()] = box;
      const caller = open.at(-1);
      if (caller !== undefined) {
        this.parent[box] = caller;
        this.left[box] = this.left[caller] + used[caller];
        used[caller] += this.weight[box];
      }
      open.push(box);
    }
  }

  callers(box) {
    const found = [];
    for (let caller = this.parent[box]; caller >= 0; caller = this.parent[caller]) found.unshift(caller);
    return found;
  }

  name(box) {
    return this.data.strings[this.data.name[this.data.frame[box]]];
  }

  file(box) {
    return this.data.strings[this.data.place[this.data.frame[box]]];
  }

  value(box) {
    return formatValue(this.data.total[box], this.data.unit, this.data.signed);
  }

  describe(box) {
    const { own, total, unit, signed, whole } = this.data;
    const share = `${formatShare(total[box] / whole)} of the ${signed ? "growth" : "total"}`;
    return [
      this.name(box),
      this.file(box),
      `${this.value(box)}, ${share}` + (own[box] ? `; ${formatValue(own[box], unit, signed)} its own` : ""),
    ].filter(Boolean);
  }

  // Decides what is seen, row by row; boxes too narrow to see are left out with everything they called.
  show() {
    const { depth } = this.data;
    const width = this.stage.clientWidth;
    const scale = width / this.weight[this.zoomed];
    const from = this.left[this.zoomed];
    this.rows = this.callers(this.zoomed).map((box) => [{ box, x: 0, width, isCaller: true }]);
    for (let box = this.zoomed; box < this.end[this.zoomed]; ) {
      const wide = this.weight[box] * scale;
      if (wide < NARROWEST) {
        box = this.end[box];
        continue;
      }
      (this.rows[depth[box]] ??= []).push({ box, x: (this.left[box] - from) * scale, width: wide, isCaller: false });
      box++;
    }
    const height = this.rows.length * ROW;
    this.space.style.height = `${height}px`;
    this.canvas.style.height = `${Math.min(height, Math.round(innerHeight * 0.75))}px`;
    if (this.rootBelow) this.stage.scrollTop = height;
    this.tell();
    this.paint();
  }

  paint() {
    const { canvas, context, stage } = this;
    const ratio = devicePixelRatio || 1;
    canvas.width = stage.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    context.scale(ratio, ratio);
    context.font = FONT;
    context.textBaseline = "middle";
    const letter = context.measureText("0").width;
    const isDark = DARK.matches;
    const first = Math.floor(stage.scrollTop / ROW);
    const last = Math.ceil((stage.scrollTop + canvas.clientHeight) / ROW);
    for (let line = first; line < last; line++) {
      for (const seen of this.rows[this.rowOf(line)] ?? []) {
        this.paintBox(seen, line * ROW - stage.scrollTop, letter, isDark);
      }
    }
  }

  paintBox({ box, x, width, isCaller }, y, letter, isDark) {
    const { context } = this;
    const isMatch = this.pattern && this.matches[this.data.frame[box]];
    context.globalAlpha = isCaller || (this.pattern && !isMatch) ? 0.45 : 1;
    context.fillStyle = isMatch ? (isDark ? "#a8327a" : "#f08cc8") : this.colour(box, isDark);
    context.fillRect(x, y, Math.max(width - (width > 3 ? 1 : 0), NARROWEST), ROW - 1);
    context.globalAlpha = 1;
    if (box === this.hovered) {
      context.strokeStyle = isDark ? "#fff" : "#000";
      context.strokeRect(x + 0.5, y + 0.5, Math.max(width - 2, 1), ROW - 2);
    }
    const label = this.label(box, Math.floor((width - 8) / letter));
    context.fillStyle = isDark ? "#eef1f5" : "#14181d";
    if (label) context.fillText(label, x + 4, y + ROW / 2);
  }

  // A package has one hue everywhere; in a difference orange grew and blue shrank, palest where both cancel out.
  colour(box, isDark) {
    const { signed, total, hue, frame } = this.data;
    if (signed) {
      const strength = Math.abs(total[box]) / this.weight[box];
      const light = isDark ? 22 + 16 * strength : 93 - 23 * strength;
      return `hsl(${total[box] > 0 ? 28 : 212} ${isDark ? 70 : 90}% ${light}%)`;
    }
    const degrees = hue[frame[box]];
    if (degrees < 0) return isDark ? "hsl(0 0% 30%)" : "hsl(0 0% 86%)";
    return isDark ? `hsl(${degrees} 32% 33%)` : `hsl(${degrees} 58% 80%)`;
  }

  // As much of the name as fits: without its path first, then without its end; the size after it where there is room.
  label(box, room) {
    if (room < 3) return "";
    let name = this.name(box);
    if (this.data.signed) name = `${this.data.total[box] > 0 ? "+" : "−"} ${name}`;
    const value = this.value(box);
    if (name.length + value.length + 2 <= room) return `${name}  ${value}`;
    if (name.length > room) name = name.replace(/^([+−] )?[^[(<]*\//, "$1");
    return name.length <= room ? name : `${name.slice(0, room - 1)}…`;
  }

  rowOf(line) {
    return this.rootBelow ? this.rows.length - 1 - line : line;
  }

  boxAt(event) {
    const row = this.rows[this.rowOf(Math.floor((event.offsetY + this.stage.scrollTop) / ROW))] ?? [];
    return row.find(({ x, width }) => event.offsetX >= x && event.offsetX < x + width)?.box ?? -1;
  }

  hover(event) {
    const box = event ? this.boxAt(event) : -1;
    this.tip.hidden = box < 0;
    if (box >= 0) {
      this.tip.textContent = this.describe(box).join("\n");
      const { offsetWidth, offsetHeight, style } = this.tip;
      style.left = `${Math.max(0, Math.min(event.clientX + 14, innerWidth - offsetWidth - 8))}px`;
      const below = event.clientY + 18;
      style.top = `${below + offsetHeight > innerHeight ? event.clientY - offsetHeight - 10 : below}px`;
    }
    if (box !== this.hovered) {
      this.hovered = box;
      this.paint();
    }
  }

  zoom(box) {
    if (box < 0) return;
    this.zoomed = box;
    this.show();
  }

  // Arrow keys: to the caller, to the widest callee, to the neighbours.
  step(event) {
    const { depth } = this.data;
    const box = this.zoomed;
    const callee = box + 1 < this.end[box] ? box + 1 : -1;
    const next = this.end[box] < depth.length && depth[this.end[box]] === depth[box] ? this.end[box] : -1;
    let previous = box - 1;
    while (previous >= 0 && depth[previous] > depth[box]) previous = this.parent[previous];
    if (previous >= 0 && depth[previous] < depth[box]) previous = -1;
    const inward = this.rootBelow ? "ArrowUp" : "ArrowDown";
    const outward = this.rootBelow ? "ArrowDown" : "ArrowUp";
    const target = { [inward]: callee, [outward]: this.parent[box], ArrowRight: next, ArrowLeft: previous }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.zoom(target);
  }

  // The way to the zoomed box as buttons, and what it is.
  tell() {
    const way = this.zoomed ? [...this.callers(this.zoomed), this.zoomed] : [];
    const shown = way.length > 7 ? [way[0], -1, ...way.slice(-5)] : way;
    const buttons = shown.map((box) => {
      if (box < 0) return "… ";
      const button = element("button", this.name(box), { type: "button" });
      button.addEventListener("click", () => this.zoom(box));
      return button;
    });
    this.crumbs.replaceChildren(...buttons);
    this.chosen.textContent = this.zoomed ? this.describe(this.zoomed).join(" · ") : "Click a box to zoom in.";
  }

  look() {
    const { strings, name, place } = this.data;
    const wanted = this.search.value;
    let pattern = null;
    try {
      pattern = wanted ? new RegExp(wanted, "i") : null;
      this.search.classList.remove("bad");
    } catch {
      this.search.classList.add("bad");
      this.matched.textContent = "not a regular expression";
      return;
    }
    this.pattern = pattern;
    this.matches = name.map((at, frame) => pattern && (pattern.test(strings[at]) || pattern.test(strings[place[frame]])));
    this.matched.textContent = pattern ? `matched ${formatShare(this.matchedShare())} of ${this.data.signed ? "the growth" : "total"}` : "";
    this.paint();
  }

  // What was allocated in or below a match, each byte once.
  matchedShare() {
    const { frame, total, whole } = this.data;
    let sum = 0;
    for (let box = 1; box < frame.length; ) {
      const isMatch = this.matches[frame[box]];
      if (isMatch) sum += total[box];
      box = isMatch ? this.end[box] : box + 1;
    }
    return sum / whole;
  }

  reset() {
    this.search.value = "";
    this.look();
    this.zoom(0);
  }
}

document.querySelectorAll("table").forEach(sortable);
const flames = [...document.querySelectorAll(".flame")].filter((root) => root.querySelector("script")).map((root) => new Flame(root));

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") flames.forEach((flame) => flame.reset());
  if (event.key === "/" && flames.length && !event.target.closest("input, textarea")) {
    event.preventDefault();
    const seen = flames.find(({ stage }) => stage.getBoundingClientRect().bottom > 0) ?? flames[0];
    seen.search.focus();
  }
});
