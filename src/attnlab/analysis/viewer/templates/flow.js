// Attention through layers (Abnar and Zuidema 2020): what reaches a word from every word of the input.
// Each layer is the mean over its heads, with half of every word's weight left to itself, for the residual connection.
const FLOWS = 30; // words up to which the maximum flow is computed: it takes a network for every word

function mixed(look, layer) {
  const { values } = matrixOf(index, look, layer, null), N = look.rows.length;
  const found = new Float64Array(N * N);
  for (let t = 0; t < N; t++) {
    let sum = 0; // of signed weights by their size
    for (let s = 0; s < N; s++) sum += Math.abs(values[t * N + s]);
    for (let s = 0; s < N; s++) found[t * N + s] = 0.5 * (sum ? Math.abs(values[t * N + s]) / sum : 0) + (s === t ? 0.5 : 0);
  }
  return found;
}

function product(a, b, rows, inner, columns) {
  const found = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let k = 0; k < inner; k++) {
    const weight = a[i * inner + k];
    if (weight) for (let j = 0; j < columns; j++) found[i * columns + j] += weight * b[k * columns + j];
  }
  return found;
}

// Rollout: after each layer, what every word has of every word of the input.
function rollout(look) {
  const N = look.rows.length, found = [];
  for (let l = 0; l < look.layers; l++) found.push(l ? product(mixed(look, l), found[l - 1], N, N, N) : mixed(look, l));
  return found;
}

// The maximum flow to `row` after `layer`, from each word of the input; shares of their sum.
function maximumFlow(look, layer, row) {
  const N = look.rows.length, edges = [];
  const node = (l, i) => l * N + i;
  const graph = () => Array.from({ length: (layer + 2) * N }, () => []);
  const shares = new Float64Array(N);
  for (let l = 0; l <= layer; l++) edges.push(mixed(look, l));
  for (let from = 0; from < N; from++) {
    const out = graph(), to = [], room = [];
    const edge = (a, b, capacity) => { out[a].push(to.length); to.push(b); room.push(capacity); out[b].push(to.length); to.push(a); room.push(0); };
    for (let l = 0; l <= layer; l++) for (let t = 0; t < N; t++) for (let s = 0; s < N; s++) if (edges[l][t * N + s] > 1e-9) edge(node(l + 1, t), node(l, s), edges[l][t * N + s]);
    shares[from] = pushed(out, to, room, node(layer + 1, row), node(0, from));
  }
  const sum = shares.reduce((a, b) => a + b, 0) || 1;
  return shares.map(share => share / sum);
}

// Dinic's algorithm.
function pushed(out, to, room, source, sink) {
  let total = 0;
  for (;;) {
    const level = new Int32Array(out.length).fill(-1), next = new Int32Array(out.length);
    level[source] = 0;
    for (const queue = [source]; queue.length;) {
      const at = queue.shift();
      for (const e of out[at]) if (room[e] > 1e-9 && level[to[e]] < 0) { level[to[e]] = level[at] + 1; queue.push(to[e]); }
    }
    if (level[sink] < 0) return total;
    const walk = (at, most) => {
      if (at === sink) return most;
      for (; next[at] < out[at].length; next[at]++) {
        const e = out[at][next[at]];
        if (room[e] > 1e-9 && level[to[e]] === level[at] + 1) {
          const got = walk(to[e], Math.min(most, room[e]));
          if (got > 1e-9) { room[e] -= got; room[e ^ 1] += got; return got; }
        }
      }
      return 0;
    };
    for (let got; (got = walk(source, Infinity)) > 1e-9;) total += got;
  }
}

// What a look's rows read of the input by layer: of self-attention by rollout or maximum flow; of attention to a sentence
// that was itself read by layers, its weights times the rollout of that sentence.
function flowOf(item, row) {
  const look = item.looks[state.look], source = item.looks["own source"];
  const within = state.look.startsWith("own ");
  if (!within && !(source && state.look === "attention")) return null;
  const N = look.columns.length, T = look.rows.length, layers = [];
  const below = within ? null : rollout(source).at(-1);
  const rolled = within && state.way === "rollout" ? rollout(look) : null;
  for (let l = 0; l < look.layers; l++) {
    if (rolled) layers.push(rolled[l].slice(row * N, row * N + N));
    else if (within) layers.push(maximumFlow(look, l, row));
    else {
      const { values } = matrixOf(index, look, l, null);
      layers.push(product(values.slice(row * N, row * N + N), below, 1, N, N));
    }
  }
  const values = new Float64Array(look.layers * N);
  layers.forEach((layer, l) => values.set(layer, (look.layers - 1 - l) * N)); // the last layer on top
  return { rows: layers.map((_, l) => `layer ${look.layers - l}`), columns: look.columns, values, of: look.rows[row], T };
}

function flowPicture(items, runs, room) {
  const row = state.row ?? 0;
  let body = "", y = 4, widest = 0;
  const panels = [];
  items.forEach((item, n) => {
    if (!item.looks[state.look]) return;
    const matrix = flowOf(item, Math.min(row, item.looks[state.look].rows.length - 1));
    if (!matrix) return;
    const way = state.look.startsWith("own ") ? state.way : "attention · rollout of the source";
    const largest = Math.max(...matrix.values, 1e-9);
    const drawn = mapPanel(matrix, 4, y, room, { kind: "words", title: `${nameOf(runs[n])}: what reaches “${shortened(matrix.of)}”, ${way}`, numbers: state.numbers, largest });
    body += drawn.body;
    panels.push(drawn.panel);
    y += drawn.height + 6;
    const key = legend(8, y, largest, false, false);
    body += key.body;
    y += key.height + 14;
    widest = Math.max(widest, drawn.width);
  });
  if (!panels.length) {
    return { svg: sheet(520, 40, label(6, 24, "Flow is of self-attention, or of attention to a sentence that layers have read.", 13), "No flow"), panels,
      hint: "Choose a self-attention, of one of the first items." };
  }
  return { svg: sheet(widest + 8, y, body, `What reaches ${items[0].looks[state.look].rows[row] ?? ""} through the layers`), panels,
    hint: "Layers down, the last one on top; words of the input across. Rollout and maximum flow: Abnar and Zuidema 2020, residual connections as one half." };
}
