// A running text, each word as dark as its weight: one for each row that looks; of a document by its sentences.
// A document's word is drawn as sqrt(weight of its sentence) · its weight says (Yang et al. 2016, figure 5).
const LINE = { size: 14, high: 25, pad: 4, gap: 3 };

function textPanels(item, matrix, above, left, top, room, title) {
  const { columns, values } = matrix, S = columns.length, T = matrix.rows.length;
  const lengths = item.sentences ?? [S];
  const spread = above === null ? null : lengths.map((_, n) => mean([...Array(above.rows.length).keys()].map(r => above.values[r * lengths.length + n])));
  let body = "", y = top, boxes = [];
  if (title) { body += label(left, y + 15, title, 13, ' font-weight="600"'); y += 24; }
  const rows = item.sentences ? [null] : [...Array(T).keys()]; // of a document the mean of all looks
  for (const row of rows) {
    const weights = columns.map((_, s) => row === null ? mean([...Array(T).keys()].map(t => values[t * S + s])) : values[row * S + s]);
    let at = 0;
    const told = weights.slice();
    if (spread) lengths.forEach((count, n) => { for (let k = 0; k < count; k++, at++) told[at] = Math.sqrt(spread[n]) * weights[at]; });
    const largest = Math.max(...told.map(Math.abs), 1e-9);
    if (T > 1 && row !== null) { body += label(left, y + 12, matrix.rows[row], 12, ` fill-opacity=".75"`); y += 18; }
    at = 0;
    lengths.forEach((count, n) => {
      const inset = item.sentences ? 54 : 0;
      let x = left + inset;
      if (item.sentences) {
        const share = spread ? spread[n] / Math.max(...spread, 1e-9) : 0;
        body += `<rect x="${left + 36}" y="${y + 2}" width="9" height="${LINE.high - 6}" fill="${colorOf(share)}" stroke="${ink().rule}" stroke-width=".5"/>`;
        body += label(left + 32, y + 15, spread ? spread[n].toFixed(2).replace(/^0/, "") : n + 1, 11, ' text-anchor="end"');
      }
      for (let k = 0; k < count; k++, at++) {
        const word = shortened(columns[at]), width = widthOf(word, LINE.size) + 2 * LINE.pad;
        if (x + width > left + room && x > left + inset) { x = left + inset; y += LINE.high; }
        const color = colorOf(told[at] / largest);
        body += `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${LINE.high - 4}" rx="3" fill="${color}" data-word="${at}" data-weight="${rounded(weights[at])}"/>`;
        body += `<text x="${(x + LINE.pad).toFixed(1)}" y="${y + 15}" font-size="${LINE.size}" fill="${onColor(color)}" pointer-events="none">${escaped(word)}</text>`;
        for (const [, s, forced] of item.changes ?? []) if (s === at) body += changedCell(x, y, width, LINE.high - 4, forced);
        boxes.push({ x, y, width, height: LINE.high - 4, at, row: row ?? 0, weight: weights[at] });
        x += width + LINE.gap;
      }
      y += LINE.high + (item.sentences ? 3 : 0);
    });
    y += 8;
  }
  return { body, boxes, width: room, height: y - top };
}

const mean = numbers => numbers.reduce((sum, number) => sum + number, 0) / (numbers.length || 1);
