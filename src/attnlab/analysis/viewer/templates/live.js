// Answers in the place of items: what was asked last of a group of runs, and what each of them said.
const SILENT = { looks: {}, kind: "words", note: "", sentences: null }; // of a run that has not said anything
const told = JSON.parse(byId("told").textContent);
const groups = told.groups.map(group => ({ ...group, texts: [...group.example], beginning: { text: "" }, links: [], columns: [], index: emptyIndex(group), asked: null, beside: null }));
let group = groups[0];

function emptyIndex(of) {
  return { levels: 1, named: 0, colors: told.colors, looks: told.titles, words: of.words, sides: of.sides, languages: of.languages,
    score: { title: "" }, apart: [], items: [{ input: "", reference: "", output: [], score: [] }],
    runs: of.runs.map((run, number) => ({ ...run, of: run.name, moment: "", heads: {}, number, view: null, said: {}, base: null })), held: of.runs.map(() => SILENT) };
}

const itemOf = (from, run) => from.held[run];

// An answer as an index: every run, and behind it the same run with its links changed, where they were.
function indexOf(of, question, answer) {
  const found = { ...emptyIndex(of), runs: [], held: [] };
  of.runs.forEach((run, number) => {
    const said = answer.runs[number], first = found.runs.length;
    (said.views ?? [null]).forEach((view, changed) => {
      const name = changed ? `${run.name}, links changed` : run.name;
      found.runs.push({ ...run, name, of: name, moment: "", heads: {}, number, view, said, base: changed ? first : null });
      found.held.push(view ? unpacked(view, changed ? question.links : null) : SILENT);
    });
  });
  const names = found.held.flatMap(item => Object.keys(item.looks)).filter(name => name.startsWith("own "));
  found.looks = { ...told.titles, ...Object.fromEntries(names.map(name => [name, `self-attention, ${name.slice(4)}`])) };
  found.items = [{ input: question.texts.join(" → "), reference: "", output: found.runs.map(run => run.view?.output ?? ""), score: [] }];
  return found;
}

// Weights come as they are, in 32 bits.
function unpacked(view, links) {
  const looks = {};
  for (const [name, look] of Object.entries(view.item.looks)) {
    const binary = atob(look.weights), bytes = new Uint8Array(binary.length);
    for (let n = 0; n < binary.length; n++) bytes[n] = binary.charCodeAt(n);
    looks[name] = { ...look, scale: 1, bytes: new Float32Array(bytes.buffer) };
  }
  const changes = links && links.changes.map(one => [one.row, one.column, one.kind === "force"]);
  return { ...view.item, looks, gold: null, changes };
}

function show(of) {
  group = of;
  index = of.index;
  const runs = index.runs.length;
  if (state.run >= runs) state.run = 0;
  if (of.beside !== runs) Object.assign(state, { run: 0, beside: runs < 2 ? "none" : runs === 2 ? "with 1" : "all" });
  of.beside = runs;
  for (const name of ["tree", "next"]) byId(`tab-${name}`).hidden = of.task !== "translation";
  if (byId(`tab-${state.tab}`).hidden) state.tab = "map";
  return refresh();
}

const percent = log => { const share = 100 * Math.exp(log); return `${share >= 10 ? share.toFixed(0) : share >= 0.1 ? share.toFixed(1) : "<0.1"} %`; };
