// Attention through layers (Abnar and Zuidema 2020): what reaches a word from every word of the input.
// Each layer is the mean over its heads, with half of every word's weight left to itself, for the residual connection.
const FLOWS = 80; // words up to which the maximum flow is computed: it is found for every word and layer

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

// The maximum flow to `row` after each layer, from each word of the input; shares of their sum.
function maximumFlows(look, row) {
  const N = look.rows.length, net = network(look), found = [];
  for (let l = 0; l < look.layers; l++) {
    const shares = new Float64Array(N);
    for (let from = 0; from < N; from++) shares[from] = pushed(net, (l + 1) * N + row, from);
    const sum = shares.reduce((a, b) => a + b, 0) || 1;
    found.push(shares.map(share => share / sum));
  }
  return found;
}

const LEAST = 1e-9; // what counts as room

// Every layer's words and what they read of the layer below, as lists of edges: of a node those from `first` on, down to
// the layer below until `turn`, then up. An edge and its reverse are each other's `back`. `given` is how much each word
// of the input gives at most, `bottom` the edge from each word of the first layer to each word of the input.
function network(look) {
  const N = look.rows.length, nodes = (look.layers + 1) * N, pairs = [], given = new Float64Array(N), bottom = new Int32Array(N * N).fill(-1);
  for (let l = 0; l < look.layers; l++) {
    const weights = mixed(look, l);
    for (let t = 0; t < N; t++) for (let s = 0; s < N; s++) {
      if (weights[t * N + s] > LEAST) pairs.push([(l + 1) * N + t, l * N + s, weights[t * N + s]]);
      if (!l) given[s] += weights[t * N + s];
    }
  }
  const first = new Int32Array(nodes + 1), to = new Int32Array(2 * pairs.length), back = new Int32Array(to.length), room = new Float64Array(to.length);
  for (const [a, b] of pairs) { first[a + 1]++; first[b + 1]++; }
  for (let n = 0; n < nodes; n++) first[n + 1] += first[n];
  const at = first.slice(), turn = first.slice(0, nodes);
  for (const [a, b, capacity] of pairs) {
    const there = at[a]++, here = at[b]++;
    to[there] = b; to[here] = a; back[there] = here; back[here] = there; room[there] = capacity;
    turn[a] = there + 1;
    if (b < N) bottom[(a - N) * N + b] = there;
  }
  const layered = Int32Array.from({ length: nodes }, (_, n) => n < N ? -1 : Math.floor(n / N));
  return { N, first, turn, to, back, room, given, bottom, layered, left: room.slice(), level: layered.slice(), next: turn.slice(), last: turn.slice(), queue: turn.slice() };
}

// Dinic's algorithm. Levels are counted from the sink, so that only what reaches it is walked; at first they are layers.
function pushed(net, source, sink) {
  const { N, first, to, back, left, level, next, last } = net, most = Math.min(1, net.given[sink]);
  const walk = (at, wanted) => {
    if (at === sink) return wanted;
    let sent = 0;
    for (; next[at] < last[at]; next[at]++) {
      const e = next[at];
      if (left[e] <= LEAST || level[to[e]] !== level[at] - 1) continue;
      const got = walk(to[e], Math.min(wanted - sent, left[e]));
      left[e] -= got;
      left[back[e]] += got;
      sent += got;
      if (wanted - sent <= LEAST) break;
    }
    return sent;
  };
  left.set(net.room);
  level.set(net.layered);
  level[sink] = 0;
  next.set(first.subarray(0, next.length));
  last.set(net.turn);
  for (let n = 0; n < N; n++) {
    const only = net.bottom[n * N + sink];
    next[N + n] = only < 0 ? last[N + n] : only;
    last[N + n] = only + 1;
  }
  let total = walk(source, most);
  while (total < most - LEAST && levelled(net, source, sink)) {
    next.set(first.subarray(0, next.length));
    last.set(first.subarray(1));
    const got = walk(source, most - total);
    if (got <= LEAST) break;
    total += got;
  }
  return total;
}

// How far every node is from the sink, by edges that have room; whether the source is anywhere.
function levelled({ first, to, back, left, level, queue }, source, sink) {
  level.fill(-1);
  level[sink] = 0;
  queue[0] = sink;
  for (let head = 0, tail = 1; head < tail && level[source] < 0; head++) {
    const at = queue[head];
    for (let e = first[at]; e < first[at + 1]; e++) {
      if (level[to[e]] < 0 && left[back[e]] > LEAST) { level[to[e]] = level[at] + 1; queue[tail++] = to[e]; }
    }
  }
  return level[source] >= 0;
}

const WAYS = { rollout: "rollout", flow: "maximum flow" };
const wayOf = look => look.rows.length > FLOWS ? "rollout" : state.way;

// What a look's rows read of the input by layer: of self-attention by rollout or maximum flow; of attention to a sentence
// that was itself read by layers, its weights times the rollout of that sentence.
function flowOf(item, row) {
  const look = item.looks[state.look], source = item.looks["own source"];
  const within = state.look.startsWith("own ");
  if (!within && !(source && state.look === "attention")) return null;
  const N = look.columns.length, T = look.rows.length, layers = [];
  const below = within ? null : rollout(source).at(-1);
  const reached = !within ? null : wayOf(look) === "rollout" ? rollout(look).map(each => each.slice(row * N, row * N + N)) : maximumFlows(look, row);
  for (let l = 0; l < look.layers; l++) {
    if (reached) layers.push(reached[l]);
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
    const way = state.look.startsWith("own ") ? WAYS[wayOf(item.looks[state.look])] : "attention · rollout of the source";
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
  const { rows } = items.find(item => item.looks[state.look]).looks[state.look];
  return { svg: sheet(widest + 8, y, body, `What reaches ${rows[row] ?? ""} through the layers`), panels,
    hint: "Layers down, the last one on top; words of the input across. Rollout and maximum flow: Abnar and Zuidema 2020, residual connections as one half." +
      (rows.length > FLOWS ? ` Maximum flow is told of up to ${FLOWS} words.` : "") };
}
