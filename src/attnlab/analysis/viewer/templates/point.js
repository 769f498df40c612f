// Pointing: at a cell, a word, a head; by pointer, by touch, by arrow keys. What is pointed at is said, too.
let at = null; // {panel, s, t} of the map, or a number of boxes or spots

function leave() {
  at = null;
  byId("tip").hidden = true;
  for (const mark of document.querySelectorAll("#figure .mark")) mark.remove();
  for (const word of document.querySelectorAll("#bands button")) { word.removeAttribute("style"); word.removeAttribute("data-weight"); }
}

function tell(parts, x, y) {
  const tip = byId("tip");
  tip.replaceChildren(...parts.map(([text, tag]) => { const part = document.createElement(tag); part.textContent = text; return part; }));
  byId("said").textContent = tip.textContent;
  tip.hidden = false;
  const { offsetWidth: width, offsetHeight: height } = tip;
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 4))}px`;
  tip.style.top = `${y - height - 12 < 4 ? y + 18 : y - height - 12}px`;
}

function mark(x, y, width, height) {
  const svg = byId("figure").querySelector("svg"), rect = document.createElementNS(svg.namespaceURI, "rect");
  for (const [name, value] of Object.entries({ class: "mark", x, y, width, height, fill: "none", stroke: ink().link, "stroke-width": 2, "pointer-events": "none" })) rect.setAttribute(name, value);
  svg.append(rect);
  return rect;
}

function pointAtCell(number, s, t, x, y) {
  leave();
  at = { panel: number, s, t };
  const { matrix, x: left, y: top, cw, ch, S } = picture.panels[number];
  const box = mark(left + s * cw, top + t * ch, cw, ch).getBoundingClientRect();
  mark(left, top + t * ch, S * cw, ch).setAttribute("stroke-opacity", ".35");
  tell([[shortened(matrix.rows[t]), "bdi"], [" reads ", "span"], [shortened(matrix.columns[s]), "bdi"], ["\u2003" + rounded(matrix.values[t * S + s]), "b"]], x ?? box.right, y ?? box.top);
  if (number === 0 && state.tab === "map") shadeBands("rows", t);
}

// The other side by what the words of this one read of it.
function shadeBands(side, n) {
  const matrix = picture.panels[0].matrix, S = matrix.columns.length;
  const other = side === "rows" ? "columns" : "rows";
  const values = side === "rows" ? matrix.columns.map((_, s) => matrix.values[n * S + s]) : matrix.rows.map((_, t) => matrix.values[t * S + n]);
  const largest = Math.max(...values.map(Math.abs), 1e-9);
  document.querySelectorAll(`#bands [data-side=${other}] button`).forEach((word, k) => {
    const color = colorOf(values[k] / largest);
    word.style.cssText = `background:${color};color:${onColor(color)}`;
    word.dataset.weight = rounded(values[k]);
  });
  const own = document.querySelectorAll(`#bands [data-side=${side}] button`)[n];
  if (own) own.style.outline = `2px solid ${ink().link}`;
  return values;
}

function pointAtWord(side, n, box) {
  leave();
  const { matrix, x, y, cw, ch, T, S } = picture.panels[0];
  const values = shadeBands(side, n);
  if (side === "rows") mark(x, y + n * ch, S * cw, ch);
  else mark(x + n * cw, y, cw, T * ch);
  const others = side === "rows" ? matrix.columns : matrix.rows;
  const most = values.map((value, k) => [value, k]).sort((a, b) => b[0] - a[0]).slice(0, 3).filter(([value]) => value >= 0.005);
  const told = most.map(([value, k]) => `${shortened(others[k])} ${rounded(value)}`).join(", ");
  tell([[shortened((side === "rows" ? matrix.rows : matrix.columns)[n]), "bdi"], [side === "rows" ? " reads " : " is read by ", "span"], [told || "nothing", "bdi"]], box.left, box.top);
}

function pointAtBox(n, x, y) {
  leave();
  at = n;
  const box = picture.boxes[n];
  const seen = mark(box.x, box.y, box.width, box.height).getBoundingClientRect();
  tell([[shortened(box.matrix.columns[box.at]), "bdi"], ["\u2003" + rounded(box.weight), "b"]], x ?? seen.right, y ?? seen.top);
}

function pointAtSpot(n, x, y) {
  leave();
  at = n;
  const spot = picture.spots[n], seen = mark(spot.x, spot.y, spot.width, spot.height).getBoundingClientRect();
  tell(spot.told, x ?? seen.right, y ?? seen.top);
}

// What is chosen by a click, or by Enter where one points at it.
function chosen(kind, n, s, t) {
  if (kind === "spot") return picture.spots[n].open?.();
  if (kind === "cell") return hooks.cell?.(picture.panels[n], s, t);
  if (kind === "box") return hooks.word?.(picture.boxes[n]);
}

function watchFigure() {
  const box = byId("figure");
  const under = event => {
    const svg = box.querySelector("svg"), frame = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / frame.width;
    const x = (event.clientX - frame.left) * scale, y = (event.clientY - frame.top) * scale;
    const inside = part => x >= part.x && x < part.x + part.width && y >= part.y && y < part.y + part.height;
    if (picture.spots) return ["spot", picture.spots.findIndex(inside)];
    if (picture.boxes?.length) return ["box", picture.boxes.findIndex(inside)];
    const found = (picture.panels ?? []).findIndex(p => p.x !== undefined && x >= p.x && x < p.x + p.S * p.cw && y >= p.y && y < p.y + p.T * p.ch);
    if (found < 0) return [null];
    const { x: left, y: top, cw, ch } = picture.panels[found];
    return ["cell", found, Math.floor((x - left) / cw), Math.floor((y - top) / ch)];
  };
  box.addEventListener("pointermove", event => {
    const [kind, n, s, t] = under(event);
    if (kind === "cell") pointAtCell(n, s, t, event.clientX, event.clientY);
    else if (kind === "box" && n >= 0) pointAtBox(n, event.clientX, event.clientY);
    else if (kind === "spot" && n >= 0) pointAtSpot(n, event.clientX, event.clientY);
    else labelUnder(event);
  });
  const labelUnder = event => {
    const text = event.target.closest("text"), side = text?.dataset.row !== undefined ? "rows" : text?.dataset.column !== undefined ? "columns" : null;
    if (side && state.tab === "map") pointAtWord(side, Number(text.dataset[side.slice(0, -1)]), text.getBoundingClientRect());
    else leave();
  };
  box.addEventListener("pointerleave", leave);
  box.addEventListener("click", event => {
    const [kind, n, s, t] = under(event);
    if (kind && n >= 0) chosen(kind, n, s, t);
  });
  box.addEventListener("blur", leave);
  box.addEventListener("keydown", event => {
    if (event.key === "Escape") return leave();
    if (event.key === "Enter" && at !== null) event.preventDefault(); // what gets the focus by it is not pressed by it
    if (event.key === "Enter" && at !== null) return typeof at === "number" ? chosen(picture.spots ? "spot" : "box", at) : chosen("cell", at.panel, at.s, at.t);
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const clamp = (n, end) => Math.max(0, Math.min(n, end - 1));
    const many = picture.spots ?? picture.boxes;
    if (many?.length) {
      const go = picture.spots ? pointAtSpot : pointAtBox;
      return go(typeof at !== "number" ? 0 : step[1] ? nextLine(many, at, step[1]) : clamp(at + step[0], many.length));
    }
    if (!picture.panels?.[0]?.cw) return;
    const { S, T } = picture.panels[at?.panel ?? 0];
    pointAtCell(at?.panel ?? 0, at ? clamp(at.s + step[0], S) : 0, at ? clamp(at.t + step[1], T) : 0);
  });
}

// In the next line below, or above, the nearest to where one is; where there is none, that itself.
function nextLine(many, from, way) {
  const middle = part => part.x + part.width / 2, here = many[from];
  const lines = many.map(part => part.y).filter(y => (y - here.y) * way > 1);
  if (!lines.length) return from;
  const line = way > 0 ? Math.min(...lines) : Math.max(...lines);
  const there = [...many.keys()].filter(n => Math.abs(many[n].y - line) <= 1);
  return there.reduce((best, n) => Math.abs(middle(many[n]) - middle(here)) < Math.abs(middle(many[best]) - middle(here)) ? n : best);
}

function watchBands() {
  const box = byId("bands");
  const point = event => {
    const word = event.target.closest("button");
    if (word) pointAtWord(word.parentElement.dataset.side, Number(word.dataset.word), word.getBoundingClientRect());
  };
  box.addEventListener("pointerover", point);
  box.addEventListener("focusin", point);
  box.addEventListener("click", point);
  box.addEventListener("pointerleave", leave);
  box.addEventListener("focusout", leave);
  box.addEventListener("keydown", event => {
    if (event.key === "Escape") return leave();
    const word = event.target.closest("button"), step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!word || !step) return;
    event.preventDefault();
    const words = [...word.parentElement.querySelectorAll("button")], next = words[words.indexOf(word) + step];
    if (next) { word.tabIndex = -1; next.tabIndex = 0; next.focus(); }
  });
}
