// Every head of every layer: of one item a small map each, of all items what the head does.
const SMALL = { most: 150, least: 56, gap: 8 };

function headGrid(items, runs, room) {
  let body = "", y = 4, widest = 0;
  const spots = [], paths = new Map();
  items.forEach((item, n) => {
    const look = item.looks[state.look];
    if (!look) return;
    body += label(4, y + 15, nameOf(runs[n]), 13, ' font-weight="600"');
    y += 24;
    const wide = Math.max(SMALL.least, Math.min(SMALL.most, (room - 60) / look.heads - SMALL.gap));
    const high = Math.max(20, Math.min(SMALL.most, wide * look.rows.length / look.columns.length, wide * 1.3));
    for (let h = 0; h < look.heads; h++) body += label(60 + h * (wide + SMALL.gap), y + 10, `head ${h + 1}`, 11);
    y += 16;
    for (let l = 0; l < look.layers; l++) {
      body += label(4, y + high / 2, `layer ${l + 1}`, 11);
      for (let h = 0; h < look.heads; h++) {
        const x = 60 + h * (wide + SMALL.gap), matrix = matrixOf(index, look, l, h), T = look.rows.length, S = look.columns.length;
        const chosen = n === 0 && state.layer === l && (state.head === h || (state.head === null));
        const most = extent(matrix.values), largest = item.kind === "words" && !state.stretched ? scaleOf(most) : most;
        addCells(paths, matrix.values, T, S, x, y, wide / S, high / T, largest);
        body += `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${wide.toFixed(1)}" height="${high.toFixed(1)}" fill="transparent" stroke="${chosen ? ink().link : ink().soft}" stroke-width="${chosen ? 2.5 : 0.7}" data-spot="${runs[n]} ${l} ${h}"/>`;
        spots.push(headSpot(runs[n], l, h, { x, y, width: wide, height: high }));
      }
      y += high + SMALL.gap;
    }
    widest = Math.max(widest, 60 + look.heads * (wide + SMALL.gap));
    y += 10;
  });
  return { svg: sheet(Math.max(widest, 240) + 4, y, painted(paths) + body, "Every head of every layer"), spots,
    hint: `Layers down, heads across; ${state.stretched ? "the darkest of each is its largest weight" : "the darkest is a weight of 1"}. Choose a head to see it large.` };
}

// A place that can be pointed at and opened: told are parts of a text, each with its element.
function headSpot(run, layer, head, box) {
  const of = index.runs[run].heads[state.look], name = of?.names?.[layer]?.[head];
  const shares = Object.entries(of?.shares ?? {}).map(([key, share]) => `${key} ${share[layer][head].toFixed(2)}`).join(", ");
  const distance = of?.distance ? `, distance ${of.distance[layer][head].toFixed(2)}` : "";
  const told = [[`${nameOf(run)}, layer ${layer + 1}, head ${head + 1}`, "b"], [`${name ? `: ${name}` : ""}${distance}${shares ? ` (${shares})` : ""}`, "span"]];
  const swap = run === state.run || state.beside === "all" ? {} : { run, beside: besideRun() === null ? "none" : `${state.beside.split(" ")[0]} ${state.run}` };
  return { ...box, told, open: () => set({ ...swap, layer, head, tab: "map" }) };
}

// What heads do over all items: {title, of: run -> [[value]], unit, signed}.
const MEASURES = {
  distance: { title: "mean attention distance", unit: "words" },
  entropy: { title: "entropy of a row", unit: "bits" },
  previous: { title: "looks at the word before", unit: "of rows" },
  next: { title: "looks at the next word", unit: "of rows" },
  diagonal: { title: "looks along the diagonal", unit: "of rows" },
  position: { title: "looks at one place", unit: "of rows" },
  sink: { title: "weight on the first and last", unit: "of weight" },
  induction: { title: "looks behind an earlier same word", unit: "of rows" },
  apart: { title: "Jensen-Shannon, of the two runs", unit: "bits" },
};

function tableOf(run, measure) {
  const told = index.runs[run].heads[state.look];
  if (measure === "apart") {
    const other = besideRun();
    const pair = index.apart.find(p => p.look === state.look && p.runs.includes(run) && p.runs.includes(other) && run !== other);
    return pair ? pair.divergence : null;
  }
  if (!told) return null;
  return measure in told ? told[measure] : told.shares[measure] ?? null;
}

const measuresOf = runs => Object.keys(MEASURES).filter(name => runs.some(run => tableOf(run, name)));

function summary(runs) {
  const own = state.measure === "apart" ? runs.slice(0, 1) : runs;
  let body = "", y = 4, widest = 0;
  const spots = [], wide = 86, high = 42;
  const all = own.flatMap(run => (tableOf(run, state.measure) ?? []).flat());
  const largest = ["distance", "entropy"].includes(state.measure) ? Math.max(...all, 1e-9) : 1;
  for (const run of own) {
    const table = tableOf(run, state.measure), told = index.runs[run].heads[state.look];
    if (!table) continue;
    const title = state.measure === "apart" ? `${nameOf(runs[0])} against ${nameOf(runs[1])}` : nameOf(run);
    body += label(4, y + 15, `${title}: ${MEASURES[state.measure].title}, ${MEASURES[state.measure].unit}; ${told.items} ${index.words.items}`, 13, ' font-weight="600"');
    widest = Math.max(widest, widthOf(title, 13) + 420);
    y += 26;
    table[0].forEach((_, h) => { body += label(60 + h * wide, y + 10, `head ${h + 1}`, 11); });
    y += 16;
    table.forEach((row, l) => {
      body += label(4, y + high / 2 + 4, `layer ${l + 1}`, 11);
      row.forEach((value, h) => {
        const x = 60 + h * wide, color = colorOf(value / largest), name = told.names?.[l]?.[h] ?? "";
        body += `<rect x="${x}" y="${y}" width="${wide - 4}" height="${high - 4}" fill="${color}" stroke="${ink().rule}" data-spot="${run} ${l} ${h}"/>`;
        body += `<text x="${x + 6}" y="${y + 16}" font-size="13" fill="${onColor(color)}" pointer-events="none">${value.toFixed(value < 10 ? 2 : 1)}</text>`;
        body += `<text x="${x + 6}" y="${y + 31}" font-size="11" fill="${onColor(color)}" pointer-events="none">${escaped(name)}</text>`;
        spots.push(headSpot(run, l, h, { x, y, width: wide - 4, height: high - 4 }));
      });
      y += high;
    });
    widest = Math.max(widest, 60 + table[0].length * wide);
    y += 12;
  }
  return { svg: sheet(Math.max(widest, 300), y, body, `What heads do: ${MEASURES[state.measure].title}`), spots,
    hint: `A name is what a head does in at least ${index.named * 100} % of rows, by the word with the largest weight: previous, next, ` +
      "diagonal (its own word; of two texts within the diagonal), position (one place in every row), sink (the first and last words' weight), " +
      "induction (the word that came after an earlier same one)." };
}

const nameOf = run => index.runs[run].name;
