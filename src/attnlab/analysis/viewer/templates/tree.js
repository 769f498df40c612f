// The candidates of a beam as a tree: what they begin with in common is drawn once. A line a candidate, the best on top,
// and behind it those that have most in common with it.
const TREE = { high: 34, box: 26, gap: 10, pad: 6 };

// Nodes {token, ids, log, line, end, children, leaf}: `line` is where it stands, `leaf` the candidate that ends with it.
function prefixTree(candidates) {
  const root = { children: [], ids: [] };
  candidates.forEach((candidate, rank) => {
    let node = root;
    candidate.steps.forEach((log, t) => {
      const end = t === candidate.ids.length, id = end ? END : candidate.ids[t];
      let next = node.children.find(child => child.id === id);
      if (!next) {
        next = { id, token: end ? "⏎" : candidate.tokens[t], ids: end ? node.ids : [...node.ids, id], log, end, children: [] };
        node.children.push(next);
      }
      node = next;
    });
    node.leaf = rank;
  });
  let line = 0;
  const place = node => {
    node.line = line;
    node.children.forEach((child, n) => { if (n) line++; place(child); });
  };
  place(root);
  return root;
}

function treePicture(items, runs) {
  let body = "", top = 4, widest = 300;
  const spots = [], tables = [];
  for (const run of runs) {
    const { view, name } = index.runs[run];
    if (!view?.candidates) continue;
    const count = view.candidates.length;
    body += label(4, top + 15, `${name}: ${count} ${count === 1 ? "candidate" : "candidates"}`, 13, ' font-weight="600"');
    top += 26;
    const drawn = drawTree(view.candidates, run, top, spots);
    body += drawn.body;
    widest = Math.max(widest, drawn.width, widthOf(name, 13) + 160);
    top += count * TREE.high + 12;
    tables.push({ caption: name, corner: "", columns: ["translation", "score", "log P", "words with log p"], rows: view.candidates.map((_, n) => String(n + 1)),
      values: view.candidates.map(one => [one.text, number(one.score), number(one.log_prob), one.steps.map((log, t) => `${saidAt(one, t)} ${number(log)}`).join("  ")]) });
  }
  if (!spots.length) return empty("There are no candidates to tell of here.");
  return { svg: sheet(widest + 8, top, body, "The candidates of the beam as a tree"), spots, tables,
    hint: "The darker a word, the likelier it is behind the words before it. Choose a word to have the translation go on from there. Score: what the search ranks by; log P: the sum over all words, the end included." };
}

const number = value => value.toFixed(2).replace("-", "−");

function drawTree(candidates, run, top, spots) {
  const root = prefixTree(candidates), ends = [];
  let body = "", lines = "", width = 0;
  const place = (node, x, y) => {
    const wide = widthOf(shortened(node.token), 13) + 2 * TREE.pad, color = colorOf(Math.exp(node.log));
    const middle = y + TREE.box / 2;
    body += `<rect x="${x.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${TREE.box}" rx="4" fill="${color}" stroke="${ink().soft}" stroke-width=".8" data-node="${escaped(node.token)}" data-log="${node.log.toFixed(4)}"/>`;
    body += `<text x="${(x + TREE.pad).toFixed(1)}" y="${y + 17}" font-size="13" fill="${onColor(color)}" pointer-events="none">${escaped(shortened(node.token))}</text>`;
    spots.push({ x, y, width: wide, height: TREE.box, told: [[shortened(node.token), "bdi"], [` ${percent(node.log)}, log p ${number(node.log)}${node.end ? "" : "; choose it to go on from there"}`, "span"]], open: node.end ? null : () => beginWith(run, node.ids) });
    const right = x + wide;
    for (const child of node.children) {
      const down = top + child.line * TREE.high, at = down + TREE.box / 2, turn = right + TREE.gap / 2;
      lines += at === middle ? `M${right.toFixed(1)} ${middle}H${(right + TREE.gap).toFixed(1)}` : `M${right.toFixed(1)} ${middle}H${turn.toFixed(1)}V${at}H${(right + TREE.gap).toFixed(1)}`;
      place(child, right + TREE.gap, down);
    }
    if (node.leaf !== undefined) ends.push([node, right]);
  };
  for (const child of root.children) place(child, 6, top + child.line * TREE.high);
  for (const [node, right] of ends) {
    const one = candidates[node.leaf], text = `${node.leaf + 1}. score ${number(one.score)}, log P ${number(one.log_prob)}${one.ended ? "" : ", unfinished"}`;
    body += label(right + 10, top + node.line * TREE.high + 17, text, 11, ' fill-opacity=".8"');
    width = Math.max(width, right + 10 + widthOf(text, 11));
  }
  return { body: `<path d="${lines}" fill="none" stroke="${ink().soft}"/>${body}`, width };
}
