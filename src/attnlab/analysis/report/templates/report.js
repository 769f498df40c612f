"use strict";
// Sorting: a button in every column head; the state is said by aria-sort. Ties keep their order.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), row = head.parentElement, body = head.closest("table").tBodies[0];
    const numeric = head.dataset.kind === "number";
    const now = head.getAttribute("aria-sort");
    const up = now ? now === "descending" : !numeric || head.dataset.better === "lower";
    for (const other of row.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const column = head.cellIndex;
    const key = line => {
      const cell = line.cells[column];
      if (!numeric) return cell.dataset.value ?? cell.textContent.trim();
      return cell.dataset.value ? Number(cell.dataset.value) : NaN;
    };
    const order = (a, b) => {
      if (!numeric) return a.localeCompare(b, undefined, { numeric: true });
      if (Number.isNaN(a) || Number.isNaN(b)) return 0;
      return a - b;
    };
    const lines = [...body.rows].map(line => [key(line), line]);
    lines.sort(([a], [b]) => Number.isNaN(a) - Number.isNaN(b) || (up ? order(a, b) : order(b, a)));
    body.append(...lines.map(([, line]) => line));
  });
}

// Heatmaps: pointer, touch and arrow keys show source word, target word and weight.
const tip = document.getElementById("tip"), said = document.getElementById("said");
for (const map of document.querySelectorAll("svg.heat")) {
  const across = [...map.querySelectorAll(".source text")], down = [...map.querySelectorAll(".target text")];
  const weights = map.dataset.weights.split(" ").map(Number);
  const hit = map.querySelector(".hit"), here = map.querySelector(".here");
  const cell = Number(map.dataset.cell);
  let at = null;
  const leave = () => {
    if (at) for (const label of [across[at.s], down[at.t]]) label.classList.remove("on");
    here.style.visibility = "hidden";
    tip.hidden = true;
    at = null;
  };
  const show = (s, t, x, y) => {
    leave();
    at = { s, t };
    for (const label of [across[s], down[t]]) label.classList.add("on");
    here.setAttribute("x", Number(hit.getAttribute("x")) + s * cell);
    here.setAttribute("y", Number(hit.getAttribute("y")) + t * cell);
    here.style.visibility = "visible";
    const weight = document.createElement("b"), words = document.createElement("bdi"), other = document.createElement("bdi");
    weight.textContent = (weights[t * across.length + s] / 1000).toFixed(3);
    words.textContent = across[s].dataset.word;
    other.textContent = down[t].dataset.word;
    tip.replaceChildren(words, " → ", other, "\u2003", weight);
    tip.hidden = false;
    const width = tip.offsetWidth, height = tip.offsetHeight;
    tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 4))}px`;
    tip.style.top = `${y - height - 12 < 4 ? y + 18 : y - height - 12}px`;
  };
  const clamp = (n, end) => Math.max(0, Math.min(n, end - 1));
  hit.addEventListener("pointermove", event => {
    const box = hit.getBoundingClientRect();
    const s = clamp(Math.floor((event.clientX - box.left) / box.width * across.length), across.length);
    const t = clamp(Math.floor((event.clientY - box.top) / box.height * down.length), down.length);
    show(s, t, event.clientX, event.clientY);
  });
  hit.addEventListener("pointerleave", leave);
  map.addEventListener("blur", leave);
  map.addEventListener("keydown", event => {
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (event.key === "Escape") leave();
    if (!step) return;
    event.preventDefault();
    const s = at ? clamp(at.s + step[0], across.length) : 0, t = at ? clamp(at.t + step[1], down.length) : 0;
    const box = hit.getBoundingClientRect();
    show(s, t, box.left + (s + .5) / across.length * box.width, box.top + (t + .5) / down.length * box.height);
    said.textContent = tip.textContent;
  });
}
