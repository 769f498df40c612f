// The stage: controls, the texts of the item, the picture, what pointing at it tells, and the table.
const byId = id => document.getElementById(id);
let picture = null; // what a tab has drawn

// By tab, of the items, the runs and the room that there is: {svg, hint, panels, boxes, spots, tables}.
const PICTURES = {
  map: (items, runs, room) => mapPicture(items, runs, room),
  grid: (items, runs, room) => items.some(item => item.looks[state.look]) ? headGrid(items, runs, room) : empty("no attention"),
  flow: (items, runs, room) => flowPicture(items, runs, Math.min(room - 120, 900)),
  summary: (items, runs) => summaryOf(runs),
};

function options(select, entries, chosen) {
  const told = JSON.stringify(entries);
  if (select.dataset.told !== told) {
    select.replaceChildren(...entries.map(([value, title]) => new Option(title, value)));
    select.dataset.told = told;
  }
  select.value = String(chosen);
}

function fillControls(items) {
  const looks = Object.assign({}, ...items.map(item => item.looks)), those = items.map(item => item.looks[state.look]).filter(Boolean);
  const moments = momentsOf(state.run), at = moments.indexOf(state.run);
  options(byId("run"), everyRun().map(run => [String(run), index.runs[run].of]), state.run);
  byId("with-moment").hidden = moments.length < 2;
  Object.assign(byId("moment"), { max: moments.length - 1, value: at });
  byId("moment").setAttribute("aria-valuetext", index.runs[state.run].moment);
  byId("moment-name").textContent = index.runs[state.run].moment;
  const others = [...everyRun().filter(run => run !== state.run), ...moments.filter(run => run !== state.run)].map(run => [run, nameOf(run)]);
  options(byId("beside"), [["none", "alone"], ...others.map(([n, name]) => [`with ${n}`, `beside ${name}`]),
    ...others.map(([n, name]) => [`minus ${n}`, `minus ${name}`]), ...(everyRun().length > 2 ? [["all", "all runs"]] : [])], state.beside);
  byId("with-beside").hidden = !others.length;
  options(byId("look"), Object.keys(looks).map(name => [name, index.looks[name]]), state.look);
  const layers = Math.max(1, ...those.map(look => look.layers)), heads = Math.max(1, ...those.map(look => look.heads));
  options(byId("layer"), [...[...Array(layers).keys()].map(l => [String(l), String(l + 1)]), ...(layers > 1 ? [["mean", "mean of all"]] : [])], state.layer ?? "mean");
  options(byId("head"), [...(heads > 1 ? [["mean", "mean of all"]] : []), ...[...Array(heads).keys()].map(h => [String(h), String(h + 1)])], heads > 1 ? state.head ?? "mean" : "0");
  for (const name of ["run", "look", "layer", "head"]) byId(name).parentElement.hidden = byId(name).options.length < 2; // nothing to choose
  byId("layer").disabled = layers === 1;
  byId("head").disabled = heads === 1;
  byId("with-gold").hidden = !items.some(item => item.gold);
  byId("with-joined").hidden = !items.some(item => Object.values(item.looks).some(each => pieced(each.rows) || pieced(each.columns)));
}

// Pieces of words as SentencePiece (▁ before a word) and WordPiece (## before all else) write them.
const pieced = labels => labels.some(text => text.startsWith("▁") || text.startsWith("##"));

function wordsOf(labels) {
  if (!pieced(labels)) return labels.map((_, n) => n);
  const marked = labels.some(text => text.startsWith("▁")), special = text => /^(<.*>|\[.*\])$/.test(text);
  let word = -1;
  return labels.map((text, n) => {
    const begins = n === 0 || special(text) || special(labels[n - 1]) || (marked ? text.startsWith("▁") : !text.startsWith("##"));
    return begins ? ++word : word;
  });
}

// Of whole words: the sum over the pieces that are looked at, the mean over those that look.
function joinedUp(matrix) {
  const rows = wordsOf(matrix.rows), columns = wordsOf(matrix.columns), T = rows.at(-1) + 1, S = columns.at(-1) + 1;
  const values = new Float64Array(T * S), counts = new Array(T).fill(0);
  rows.forEach(row => counts[row]++);
  rows.forEach((row, t) => columns.forEach((column, s) => { values[row * S + column] += matrix.values[t * columns.length + s] / counts[row]; }));
  const texts = (labels, words, count) => Array.from({ length: count }, (_, n) => labels.filter((_, k) => words[k] === n).map(text => text.replace(/^(▁|##)/, "")).join("") || "▁");
  return { rows: texts(matrix.rows, rows, T), columns: texts(matrix.columns, columns, S), values, places: { rows, columns } };
}

function chosenMatrix(item) {
  const look = item.looks[state.look];
  if (!look) return null;
  const layer = state.layer === null ? null : Math.min(state.layer, look.layers - 1);
  const head = state.head === null || state.head >= look.heads ? null : state.head;
  const matrix = matrixOf(index, look, layer, head);
  return state.joined ? joinedUp(matrix) : matrix;
}

function goldOf(item, matrix) {
  if (!state.gold || !item.gold || state.look !== "attention") return null;
  if (!matrix.places) return item.gold;
  const links = item.gold.map(some => [...new Set(some.map(([s, t]) => `${matrix.places.columns[s]} ${matrix.places.rows[t]}`))].map(link => link.split(" ").map(Number)));
  const sure = new Set(links[0].map(String));
  return [links[0], links[1].filter(link => !sure.has(String(link)))];
}

function whereIs(item, run) {
  const look = item.looks[state.look];
  if (!look || look.layers * look.heads === 1) return nameOf(run);
  const layer = state.layer === null ? "all layers" : `layer ${Math.min(state.layer, look.layers - 1) + 1}`;
  return `${nameOf(run)}, ${layer}, ${state.head === null || state.head >= look.heads ? "mean of the heads" : `head ${state.head + 1}`}`;
}

const ASIDE = 380; // pixels that a map has at least, where several stand side by side

// Maps, or texts, of what is chosen. What stands above them is {body, width, height}.
function mapPicture(items, runs, room, above = { body: "", width: 0, height: 0 }) {
  let all = items.map((item, n) => ({ item, run: runs[n], matrix: chosenMatrix(item), title: whereIs(item, runs[n]) })).filter(one => one.matrix);
  const nothing = text => above.body ? { ...empty(text), svg: sheet(Math.max(above.width, widthOf(text, 13) + 30), above.height + 30, above.body + label(8, above.height + 18, text, 13), text) } : empty(text);
  if (!all.length) return nothing(items.length > 1 ? `No run looks at anything in this ${index.words.item}.` : `This run looks at nothing in this ${index.words.item}.`);
  const difference = isDifference();
  if (difference) {
    const matrix = all.length === 2 && subtracted(all[0].matrix, all[1].matrix);
    if (!matrix) return nothing("The two runs have other words here, so that one cannot be taken from the other.");
    matrix.places = all[0].matrix.places;
    all = [{ ...all[0], matrix, title: `${all[0].title} − ${all[1].title}` }];
  }
  const kind = all[0].item.kind, running = kind === "text" && state.look === "attention";
  const most = Math.max(...all.map(one => extent(one.matrix.values)));
  const largest = difference || state.stretched || kind === "lags" ? most : scaleOf(most);
  const signed = all.some(one => one.matrix.values.some(value => value < 0));
  const drawn = running ? texts(all, room, above.height) : maps(all, room, above.height, largest);
  let { body, wide, tall } = drawn;
  if (!running) {
    const key = legend(8, tall + 4, largest, difference || signed, all.some(one => goldOf(one.item, one.matrix)), difference ? runs.map(nameOf) : null);
    body += key.body;
    tall += key.height + 8;
    wide = Math.max(wide, key.width + 16);
  }
  const said = `${index.looks[state.look]}, ${all.map(one => one.title).join("; ")}. ${all[0].matrix.rows.length} rows, ${all[0].matrix.columns.length} columns.`;
  const more = hooks.cell && !difference ? ` Choose ${running ? "a word" : "a cell"} to forbid or force it.` : "";
  const hint = (running ? "The darker (on a dark page, the brighter) a word, the more weight it has, of the largest of its row."
    : "Columns are read by rows. Point at a cell or a word, or use the arrow keys in the picture.") + more;
  return { svg: sheet(Math.max(wide, above.width) + 8, tall + 8, above.body + body, said), panels: drawn.panels, boxes: drawn.boxes, hint };
}

function texts(all, room, top) {
  let body = "", y = top + 4, wide = 0;
  const panels = [], boxes = [];
  for (const { matrix, item, run, title } of all) {
    const above = item.looks.sentences ? matrixOf(index, item.looks.sentences, 0, 0) : null;
    const text = textPanels(item, matrix, above, 6, y, Math.min(room - 12, 860), item.note ? `${title}: ${item.note}` : title);
    body += text.body;
    boxes.push(...text.boxes.map(box => ({ ...box, matrix, run })));
    panels.push({ matrix, run });
    y += text.height + 10;
    wide = Math.max(wide, text.width);
  }
  return { body, wide, tall: y, panels, boxes };
}

// Side by side where there is room, in as many rows as it takes.
function maps(all, room, top, largest) {
  const widest = Math.max(...all.map(one => one.matrix.columns.length)), fits = all[0].item.kind === "lags" ? ASIDE : Math.max(ASIDE, widest * CELL.least + 90);
  const across = Math.min(all.length, Math.max(1, Math.floor(room / fits)));
  let body = "", x = 4, y = top + 4, wide = 0, high = 0;
  const panels = [];
  all.forEach(({ matrix, item, run, title }, n) => {
    if (n && n % across === 0) { x = 4; y += high + 8; high = 0; }
    const drawn = mapPanel(matrix, x, y, across > 1 ? room / across - 90 : room - 120, { kind: item.kind, title, gold: goldOf(item, matrix), changes: matrix.places ? null : item.changes, numbers: state.numbers, largest });
    body += drawn.body;
    panels.push({ ...drawn.panel, run });
    x += drawn.width + 14;
    wide = Math.max(wide, across > 1 ? x : drawn.width);
    high = Math.max(high, drawn.height);
  });
  return { body, wide, tall: y + high + (across > 1 ? 0 : 8), panels, boxes: [] };
}

// The size of the largest weight; 0 of none.
function extent(values) {
  let most = 1e-9;
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  return most;
}

const scaleOf = most => most > 1.001 ? most : 1; // what the darkest colour stands for

const empty = text => ({ svg: sheet(Math.max(300, widthOf(text, 13) + 30), 44, label(8, 26, text, 13), text), panels: [], hint: "" });

function draw(items, runs) {
  shown = items;
  fillControls(items);
  const box = byId("figure"), room = Math.max(300, box.clientWidth - 4);
  picture = PICTURES[state.tab](items, runs, room);
  box.innerHTML = picture.svg;
  byId("hint").textContent = picture.hint;
  byId("panel").setAttribute("aria-labelledby", `tab-${state.tab}`);
  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.setAttribute("aria-selected", String(tab.dataset.tab === state.tab));
    tab.tabIndex = tab.dataset.tab === state.tab ? 0 : -1;
  }
  (hooks.texts ?? drawTexts)(items, runs);
  drawBands(items);
  drawOptions(items, runs);
  if (byId("tabled").open) drawTable();
  leave();
}

function summaryOf(runs) {
  const there = measuresOf(runs);
  if (!there.length) return empty("There is nothing to tell of heads here.");
  if (!there.includes(state.measure)) state.measure = there[0];
  return summary(runs);
}

function drawTexts(items, runs) {
  const item = index.items[state.item], [source, target] = index.languages;
  const lines = [["input", item.input, source], ...(item.reference ? [["reference", item.reference, target]] : []),
    ...runs.filter(run => item.output[run] !== null).map(run => [nameOf(run), item.output[run] || "(nothing)", target, item.score[run]])];
  byId("texts").innerHTML = `<dl>${lines.map(([name, text, tag, score]) => `<dt>${escaped(name)}</dt><dd${tag ? ` lang="${tag}"` : ""}>${escaped(text)}${score === undefined || score === null ? "" : ` <small lang="en">${escaped(index.score.title)} ${short(score)}</small>`}</dd>`).join("")}</dl>`;
}

// The words of both sides, to point at: a word that looks shades those that it read, and the reverse.
function drawBands(items) {
  const box = byId("bands"), matrix = state.tab === "map" && picture.panels[0]?.matrix;
  const kind = items[0].kind;
  if (!matrix || kind !== "words") { box.replaceChildren(); return; }
  const [columns, rows] = state.look === "back" ? [...index.sides].reverse() : index.sides;
  const own = state.look.startsWith("own ");
  const band = (side, words, title) => `<p class="band" data-side="${side}" role="group" aria-label="${escaped(title)}"><span class="name">${escaped(title)}</span> ${words.map((word, n) => `<button type="button" data-word="${n}" tabindex="${n ? -1 : 0}"><bdi>${escaped(shortened(word))}</bdi></button>`).join(" ")}</p>`;
  box.innerHTML = band("columns", matrix.columns, own ? "read" : columns) + band("rows", matrix.rows, own ? "reading" : rows);
}

function drawOptions(items, runs) {
  const box = byId("options"), select = (id, title, entries, chosen) => `<label for="${id}">${title}</label><select id="${id}">${entries.map(([value, name]) => `<option value="${value}"${value === String(chosen) ? " selected" : ""}>${escaped(name)}</option>`).join("")}</select>`;
  let body = "";
  if (state.tab === "summary" && measuresOf(runs).length) body = select("measure", "Measure", measuresOf(runs).map(name => [name, MEASURES[name].title]), state.measure);
  const look = items.map(item => item.looks[state.look]).find(Boolean);
  if (state.tab === "flow" && look) {
    const within = state.look.startsWith("own ");
    body = select("flow-row", "Word", look.rows.map((word, n) => [String(n), `${n + 1} ${shortened(word)}`]), state.row ?? 0);
    if (within) body += select("way", "By", Object.entries(WAYS).slice(0, look.rows.length > FLOWS ? 1 : 2), wayOf(look));
  }
  if (box.dataset.told !== body) { box.innerHTML = body; box.dataset.told = body; }
}

// What the picture says, as a table.
function drawTable() {
  const head = (names, corner) => `<thead><tr>${corner ? `<th scope="col">${corner}</th>` : "<td></td>"}${names.map(name => `<th scope="col"><bdi>${escaped(name)}</bdi></th>`).join("")}</tr></thead>`;
  const line = (name, values) => `<tr><th scope="row"><bdi>${escaped(name)}</bdi></th>${values.map(value => `<td>${rounded(value)}</td>`).join("")}</tr>`;
  let body = "";
  for (const { caption, corner, columns, rows, values } of picture.tables ?? []) body += `<table><caption>${escaped(caption)}</caption>${head(columns, corner)}<tbody>${rows.map((row, t) => `<tr><th scope="row"><bdi>${escaped(row)}</bdi></th>${values[t].map(value => `<td><bdi>${escaped(value)}</bdi></td>`).join("")}</tr>`).join("")}</tbody></table>`;
  if (state.tab === "summary") {
    for (const run of runsShown()) {
      const table = tableOf(run, state.measure);
      if (table) body += `<table><caption>${escaped(nameOf(run))}: ${MEASURES[state.measure].title}</caption>${head(table[0].map((_, h) => `head ${h + 1}`), "layer")}<tbody>${table.map((row, l) => line(String(l + 1), row)).join("")}</tbody></table>`;
    }
  } else {
    const matrices = state.tab === "grid" ? shown.map(chosenMatrix).filter(Boolean) : (picture.panels ?? []).map(panel => panel.matrix);
    for (const { rows, columns, values } of matrices) body += `<table>${head(columns, "")}<tbody>${rows.map((row, t) => line(row, [...values.slice(t * columns.length, (t + 1) * columns.length)])).join("")}</tbody></table>`;
  }
  byId("table").innerHTML = body;
}
