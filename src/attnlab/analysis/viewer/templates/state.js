// What is shown, and whoever has to know when that changes.
const state = {
  item: 0, run: 0, beside: "none", look: "attention", layer: 0, head: null, tab: "map",
  gold: true, joined: false, numbers: false, stretched: false, measure: "distance", way: "rollout", row: null,
};
const listeners = [];
let index = null; // of the page, see data.js
let shown = []; // what was last drawn: a panel for each run, see heat.js

function set(change) {
  Object.assign(state, change);
  return refresh();
}

let drawing = 0;
async function refresh() {
  const ticket = ++drawing;
  const runs = state.beside === "none" ? [state.run] : [state.run, Number(state.beside.split(" ")[1])];
  const items = await Promise.all(runs.map(run => itemOf(index, run, state.item)));
  if (ticket !== drawing) return; // something else was asked for meanwhile
  settle(items[0], runs[0]);
  for (const listener of listeners) listener(items, runs);
  document.body.dataset.drawn = String(ticket);
}

// Where an item or a run has no such look, layer or head, the nearest one that it has.
function settle(item) {
  const names = Object.keys(item.looks);
  if (!names.length) return;
  if (!names.includes(state.look)) state.look = names[0];
  const look = item.looks[state.look];
  if (state.layer === undefined || state.layer >= look.layers) state.layer = look.layers - 1;
  if (state.head !== null && state.head >= look.heads) state.head = null;
  if (state.row !== null && state.row >= look.rows.length) state.row = null;
}

const dark = () => document.documentElement.dataset.theme === "dark";

// The parts of a difference: what is drawn of which run, and what is taken from it.
const isDifference = () => state.beside.startsWith("minus");
