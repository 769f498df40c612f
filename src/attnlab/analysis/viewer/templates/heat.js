// The map of one item: rows look, columns are looked at. A panel is {matrix, x, y, cw, ch, title, gold, signed}.
const CELL = { most: 30, least: 8, lags: 3 };
const TURN = 55; // degrees of the names of columns

function mapPanel(matrix, left, top, room, options) {
  const { rows, columns, values } = matrix, T = rows.length, S = columns.length;
  const thin = options.kind === "lags";
  const fit = Math.min(room / S, 900 / T);
  const size = Math.max(thin ? CELL.lags : CELL.least, Math.min(CELL.most, fit));
  const cw = thin ? Math.max(CELL.lags, Math.min(CELL.most, room / S)) : size, ch = thin ? Math.max(8, Math.min(CELL.most, 400 / T)) : size;
  const font = Math.max(8, Math.min(13, Math.min(cw, ch) * 0.62 + 3)), across = columns.map(shortened), down = rows.map(shortened);
  const every = Math.ceil((thin ? 14 : 9) / Math.max(cw, 1)), everyRow = Math.ceil(9 / ch);
  const slope = Math.sin(TURN * Math.PI / 180);
  const up = Math.max(...across.map(text => widthOf(text, font))) * slope + font + 6;
  const side = Math.max(...down.map(text => widthOf(text, font))) + 8;
  const beyond = Math.max(...across.map((text, s) => (s + 0.5) * cw + widthOf(text, font) * Math.cos(TURN * Math.PI / 180) - S * cw), 8);
  const heading = options.title ? 22 : 0;
  const x = left + side, y = top + heading + up, largest = options.largest ?? 1;
  const c = ink(), width = S * cw, height = T * ch;
  let body = options.title ? label(left + 2, top + 15, options.title, 13, ' font-weight="600"') : "";
  body += cells(values, T, S, x, y, cw, ch, largest);
  let grid = "";
  if (!thin) {
    for (let s = 1; s < S; s++) grid += `M${(x + s * cw).toFixed(1)} ${y.toFixed(1)}v${height.toFixed(1)}`;
    for (let t = 1; t < T; t++) grid += `M${x.toFixed(1)} ${(y + t * ch).toFixed(1)}h${width.toFixed(1)}`;
  }
  body += `<path d="${grid}" fill="none" stroke="${c.rule}" stroke-width=".5"/>`;
  body += `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="none" stroke="${c.soft}"/>`;
  across.forEach((text, s) => {
    if ((S - 1 - s) % every) return;
    const at = [x + (s + 0.62) * cw, y - 4];
    body += label(...at, text, font.toFixed(1), ` data-column="${s}" transform="rotate(-${TURN} ${at[0].toFixed(1)} ${at[1].toFixed(1)})"`);
  });
  down.forEach((text, t) => {
    if (t % everyRow) return;
    body += label(x - 5, y + (t + 0.5) * ch + font * 0.35, text, font.toFixed(1), ` data-row="${t}" text-anchor="end"`);
  });
  if (options.numbers && Math.min(cw, ch) >= 18) for (let t = 0; t < T; t++) for (let s = 0; s < S; s++) {
    const value = values[t * S + s];
    if (Math.abs(value) < 0.005) continue;
    const text = (Math.abs(value) < 0.995 ? value.toFixed(2).replace(/^(-?)0/, "$1") : value.toFixed(0)).replace("-", "−");
    body += `<text x="${(x + (s + 0.5) * cw).toFixed(1)}" y="${(y + (t + 0.5) * ch + 3).toFixed(1)}" font-size="${(cw * 0.36).toFixed(1)}" text-anchor="middle" fill="${onColor(colorOf(value / largest))}">${text}</text>`;
  }
  if (options.gold) for (const [links, dashes] of [[options.gold[0], ""], [options.gold[1], ' stroke-dasharray="3 2"']]) for (const [s, t] of links) {
    const box = `x="${(x + s * cw + 1).toFixed(1)}" y="${(y + t * ch + 1).toFixed(1)}" width="${(cw - 2).toFixed(1)}" height="${(ch - 2).toFixed(1)}" fill="none"`;
    body += `<rect ${box} stroke="${c.halo}" stroke-width="3.4"/><rect ${box} stroke="${GOLD}" stroke-width="1.8" data-gold="${dashes ? "possible" : "sure"}"${dashes}/>`;
  }
  for (const [t, s, forced] of options.changes ?? []) for (const row of t === null ? rows.keys() : [t]) if (row < T) body += changedCell(x + s * cw, y + row * ch, cw, ch, forced);
  const panel = { matrix, x, y, cw, ch, T, S };
  return { body, panel, width: Math.max(side + width + beyond, titleWidth(options.title ?? "")), height: heading + up + height + 8 };
}

// A link that was changed by hand: a cross where it is forbidden, a ring where it is forced.
function changedCell(x, y, width, height, forced) {
  const r = Math.min(width, height) * 0.3, cx = (x + width / 2).toFixed(1), cy = (y + height / 2).toFixed(1);
  const shape = forced ? `<circle cx="${cx}" cy="${cy}" r="${r.toFixed(1)}" fill="none"` : `<path d="M${(x + width / 2 - r).toFixed(1)} ${(y + height / 2 - r).toFixed(1)}l${(2 * r).toFixed(1)} ${(2 * r).toFixed(1)}m${(-2 * r).toFixed(1)} 0l${(2 * r).toFixed(1)} ${(-2 * r).toFixed(1)}" fill="none"`;
  const end = forced ? "</circle>" : "</path>", kind = forced ? "forced" : "forbidden";
  return `${shape} stroke="${ink().halo}" stroke-width="3.6">${end}${shape} stroke="${GOLD}" stroke-width="1.8" data-changed="${kind}">${end}`;
}

// The legend below the maps: what colours and frames mean; of a difference, who has more.
function legend(x, y, largest, signed, gold, names) {
  const [high, low] = names ? [`: more by ${names[0]}`, `: more by ${names[1]}`] : ["", ""];
  let body = "";
  const steps = 24, from = signed ? -1 : 0, wide = 120;
  for (let n = 0; n < steps; n++) body += `<rect x="${(x + n * wide / steps).toFixed(1)}" y="${y}" width="${(wide / steps + 0.3).toFixed(1)}" height="10" fill="${colorOf(from + (1 - from) * (n + 0.5) / steps)}"/>`;
  body += `<rect x="${x}" y="${y}" width="${wide}" height="10" fill="none" stroke="${ink().soft}" stroke-width=".6"/>`;
  const told = largest === 1 ? "1" : largest.toFixed(largest < 0.1 ? 3 : 2);
  body += label(x, y + 22, signed ? `−${told}${low}` : "0", 11);
  body += label(x + wide + 6, y + 9, told + high, 11);
  let width = Math.max(wide + 12 + widthOf(told + high, 11), widthOf(`−${told}${low}`, 11));
  if (gold) {
    const at = x + width + 14;
    body += `<rect x="${at}" y="${y}" width="12" height="10" fill="none" stroke="${GOLD}" stroke-width="1.8"/>` + label(at + 17, y + 9, "sure link", 11);
    body += `<rect x="${at + 80}" y="${y}" width="12" height="10" fill="none" stroke="${GOLD}" stroke-width="1.8" stroke-dasharray="3 2"/>` + label(at + 97, y + 9, "possible link", 11);
    width += 200;
  }
  return { body, width, height: 28 };
}

function subtracted(a, b) {
  if (a.rows.join("\n") !== b.rows.join("\n") || a.columns.join("\n") !== b.columns.join("\n")) return null;
  return { rows: a.rows, columns: a.columns, values: a.values.map((value, at) => value - b.values[at]) };
}
