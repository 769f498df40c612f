// Links changed by hand: of a row to a column, or of every row (null); forbidden or forced.
const linkAt = (row, column) => group.links.find(one => one.row === row && one.column === column);
const wordAt = column => shortened(group.columns[column] ?? `${column + 1}`);

function watchLinks() {
  hooks.cell = (panel, s, t) => chooseLink(panel.matrix, panel.run, t, s);
  hooks.word = box => chooseLink(box.matrix, box.run, null, box.at);
  byId("links").addEventListener("click", event => {
    const button = event.target.closest("button");
    if (button) changeLinks(group.links.filter((_, n) => n !== Number(button.dataset.link)));
  });
  byId("unchange").addEventListener("click", () => changeLinks([]));
  byId("link-acts").addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    const { row, column, columns } = JSON.parse(byId("link").dataset.chosen);
    const kept = columns.join("\n") === group.columns.join("\n") ? group.links : []; // links are those of these words
    group.columns = columns;
    byId("link").hidden = true;
    byId("figure").focus({ preventScroll: true });
    if (button.dataset.kind === "close") return;
    const at = button.dataset.every ? null : row;
    const others = kept.filter(one => one.row !== at || one.column !== column);
    changeLinks(button.dataset.kind === "free" ? others : [...others, { row: at, column, kind: button.dataset.kind }]);
  });
}

function chooseLink(matrix, run, row, column) {
  const box = byId("link");
  if (state.look !== "attention" || matrix.places || isDifference()) {
    byId("said").textContent = "Links are changed in the map of the attention to the input, word by word, of one run.";
    return;
  }
  const word = shortened(matrix.columns[column]), step = row === null ? "" : shortened(matrix.rows[row]);
  box.dataset.chosen = JSON.stringify({ row, column, columns: matrix.columns });
  byId("link-name").textContent = row === null ? `“${word}”` : `“${step}” (${row + 1}) reads “${word}”`;
  const act = (kind, title, every = "") => `<button type="button" data-kind="${kind}" data-every="${every}">${title}</button>`;
  const acts = row === null ? [act("forbid", "Forbid"), act("force", "Force")]
    : [act("forbid", "Forbid here"), act("force", "Force here"), act("forbid", "Forbid everywhere", "yes"), act("force", "Force everywhere", "yes")];
  if (linkAt(row, column)) acts.push(act("free", "As it was"));
  byId("link-acts").innerHTML = [...acts, act("close", "Cancel")].join("");
  box.hidden = false;
  byId("link-acts").querySelector("button").focus({ preventScroll: true });
  box.scrollIntoView({ block: "nearest" });
}

function changeLinks(links) {
  group.links = links;
  drawLinks();
  ask();
}

function drawLinks() {
  const rows = index.held[index.runs.findIndex(run => run.base !== null)]?.looks.attention?.rows ?? index.held[0]?.looks.attention?.rows ?? [];
  byId("links").innerHTML = group.links.map((one, n) => {
    const where = one.row === null ? "everywhere" : `at ${one.row + 1}${rows[one.row] ? ` (${escaped(shortened(rows[one.row]))})` : ""}`;
    const name = `${one.kind === "force" ? "○ forced" : "× forbidden"}: “${escaped(wordAt(one.column))}” ${group.kind === "text" ? "" : where}`;
    return `<li><span>${name}</span><button type="button" data-link="${n}" aria-label="Take back ${escaped(name)}">take back</button></li>`;
  }).join("");
  byId("no-links").hidden = group.links.length > 0;
  byId("unchange").hidden = group.links.length < 2;
}
