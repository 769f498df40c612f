// Classes with their probabilities, or a value on its scale: a block a run, above what it looks at.
const BAR = { high: 18, gap: 4, most: 320, shown: 12 };

function bars(runs, room) {
  let body = "", y = 4, width = 0;
  for (const run of runs) {
    const { view, base, name, scale } = index.runs[run];
    if (!view?.classes && view?.value === undefined) continue;
    const before = base === null ? null : index.runs[base].view;
    const rows = view.classes ? ranked(view.classes, before?.classes ?? view.classes) : [["value", view.value, before?.value]];
    const wide = Math.max(...rows.map(([title]) => widthOf(shortened(title), 13))) + 12, most = Math.min(BAR.most, Math.max(80, room - wide - 130));
    body += label(4, y + 14, name, 13, ' font-weight="600"');
    y += 22;
    for (const [title, value, was] of rows) {
      const of = number => view.classes ? number : scale ? (number - scale[0]) / (scale[1] - scale[0]) : 0.5;
      const share = Math.max(0, Math.min(1, of(value))), told = view.classes ? `${(100 * value).toFixed(1)} %` : value.toFixed(2);
      const change = was === undefined || was === null ? "" : ` (${value >= was ? "+" : "−"}${Math.abs(view.classes ? 100 * (value - was) : value - was).toFixed(view.classes ? 1 : 2)})`;
      body += label(wide - 4, y + 13, shortened(title), 13, ' text-anchor="end"');
      body += `<rect x="${wide + 4}" y="${y}" width="${most}" height="${BAR.high}" fill="none" stroke="${ink().rule}"/>`;
      body += `<rect x="${wide + 4}" y="${y}" width="${(share * most).toFixed(1)}" height="${BAR.high}" fill="${colorOf(0.65)}" data-class="${escaped(title)}" data-share="${share.toFixed(4)}"/>`;
      if (change) body += `<path d="M${(wide + 4 + of(was) * most).toFixed(1)} ${y - 2}v${BAR.high + 4}" stroke="${ink().ink}" stroke-width="2" stroke-dasharray="3 2"/>`;
      body += label(wide + most + 12, y + 13, told + change, 13);
      width = Math.max(width, wide + most + 24 + widthOf(told + change, 13));
      y += BAR.high + BAR.gap;
    }
    y += 10;
  }
  return body ? { body, width, height: y + 4 } : { body: "", width: 0, height: 0 };
}

// The likeliest classes, in one order with links changed and without.
function ranked(classes, order) {
  return Object.keys(classes).sort((a, b) => order[b] - order[a]).slice(0, BAR.shown).map(name => [name, classes[name], classes === order ? null : order[name]]);
}

function barTables(runs) {
  return runs.map(run => index.runs[run]).filter(run => run.view?.classes || run.view?.value !== undefined).map(run => {
    const rows = run.view.classes ? Object.entries(run.view.classes) : [["value", run.view.value]];
    return { caption: run.name, corner: run.view.classes ? "class" : "", columns: [run.view.classes ? "probability" : "predicted"], rows: rows.map(([name]) => name), values: rows.map(([, value]) => [value.toFixed(4)]) };
  });
}
