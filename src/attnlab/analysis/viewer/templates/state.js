// What is shown, and whoever has to know when that changes.
const state = {
  item: 0, run: 0, beside: "none", look: "attention", layer: 0, head: null, tab: "map",
  gold: true, joined: false, numbers: false, stretched: false, measure: "distance", way: "rollout", row: null,
};
const listeners = [];
const hooks = { cell: null, word: null, texts: null }; // what choosing a cell or a word does, and who writes the texts
let index = null; // of the page: analysis/viewer/page.py, or live.js
let shown = []; // what was last drawn: a panel for each run, see heat.js

function set(change) {
  Object.assign(state, change);
  return refresh();
}

let drawing = 0;
async function refresh() {
  const ticket = ++drawing;
  const runs = runsShown();
  const items = await Promise.all(runs.map(run => itemOf(index, run, state.item)));
  if (ticket !== drawing) return; // something else was asked for meanwhile
  settle(items);
  for (const listener of listeners) listener(items, runs);
  document.body.dataset.drawn = String(ticket);
}

// Where items have no such look, layer or head, the nearest one that one of them has.
function settle(items) {
  const names = items.flatMap(item => Object.keys(item.looks));
  if (!names.length) return;
  if (!names.includes(state.look)) state.look = names[0];
  const looks = items.map(item => item.looks[state.look]).filter(Boolean), most = part => Math.max(...looks.map(part));
  const layers = most(look => look.layers);
  if (state.layer === undefined || state.layer >= layers) state.layer = layers - 1;
  if (state.head !== null && state.head >= most(look => look.heads)) state.head = null;
  if (state.row !== null && state.row >= most(look => look.rows.length)) state.row = null;
}

// A run at several moments of its training is one run to choose, with a slider.
const momentsOf = run => [...index.runs.keys()].filter(n => index.runs[n].of === index.runs[run].of);

// Every run once: at the moment that is shown, or that is nearest to it.
function everyRun() {
  const first = [...index.runs.keys()].filter(n => momentsOf(n)[0] === n);
  return first.map(run => index.runs[run].of === index.runs[state.run].of ? state.run : alike(run, state.run));
}

// Of another run the moment of the same name, else the one as far into its training.
function alike(other, run) {
  const theirs = momentsOf(other), mine = momentsOf(run);
  const same = theirs.find(n => index.runs[n].moment === index.runs[run].moment);
  return same ?? theirs[Math.round(mine.indexOf(run) / Math.max(1, mine.length - 1) * (theirs.length - 1))];
}

// Another run or moment, and what stands beside it: another run goes along in time; what is chosen itself changes places.
function setRun(run, more = {}) {
  const [way] = state.beside.split(" "), other = besideRun();
  const apart = other !== null && index.runs[other].of !== index.runs[state.run].of && index.runs[other].of !== index.runs[run].of;
  const next = other === null ? null : apart ? alike(other, run) : other === run ? state.run : other;
  return set({ run, beside: next === null ? way === "all" ? "all" : "none" : `${way} ${next}`, ...more });
}

const dark = () => document.documentElement.dataset.theme === "dark";

// What stands beside the run: "none", "with 1", "minus 1" (which is taken from it), or "all" runs.
const isDifference = () => state.beside.startsWith("minus");
const besideRun = () => /^(with|minus) /.test(state.beside) ? Number(state.beside.split(" ")[1]) : null;

function runsShown() {
  if (state.beside === "all") return everyRun();
  return besideRun() === null ? [state.run] : [state.run, besideRun()];
}
