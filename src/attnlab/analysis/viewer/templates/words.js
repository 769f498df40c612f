// What a run may say at each step behind the words before it: the likeliest words, and each of them with links changed.
const WORDS = { shown: 5, wide: 118, high: 36 };

function nextWords(items, runs) {
  let body = "", y = 4, widest = 300;
  const spots = [], tables = [];
  for (const run of runs) {
    const { view, name, number } = index.runs[run];
    if (!view?.steps) continue;
    const behind = index.runs.find(one => one.base === run)?.view.behind, best = view.candidates[0];
    const side = Math.max(...view.steps.map((_, t) => widthOf(shortened(saidAt(best, t)), 13))) + 26;
    body += label(4, y + 15, behind ? `${name}; → with links changed, behind the same words` : name, 13, ' font-weight="600"');
    y += 24;
    const values = [];
    view.steps.forEach((step, t) => {
      body += label(side - 8, y + 16, shortened(saidAt(best, t)), 13, ' text-anchor="end"');
      body += label(side - 8, y + 30, percent(step.said) + (behind ? ` → ${percent(behind[t].said)}` : ""), 10, ' text-anchor="end"');
      const cellsOf = step.words.slice(0, WORDS.shown).map((word, k) => {
        const share = Math.exp(step.log_probs[k]), color = colorOf(share), x = side + k * WORDS.wide, after = behind?.[t].of[k];
        const numbers = percent(step.log_probs[k]) + (after === undefined ? "" : ` → ${percent(after)}`);
        body += `<rect x="${x}" y="${y}" width="${WORDS.wide - 4}" height="${WORDS.high - 4}" rx="3" fill="${color}" stroke="${ink().rule}" data-step="${t}" data-word="${k}"/>`;
        body += `<text x="${x + 6}" y="${y + 14}" font-size="13" fill="${onColor(color)}" pointer-events="none">${escaped(fitted(word, WORDS.wide - 16))}</text>`;
        body += `<text x="${x + 6}" y="${y + 28}" font-size="10.5" fill="${onColor(color)}" pointer-events="none">${numbers}</text>`;
        const end = step.ids[k] === END;
        spots.push({ x, y, width: WORDS.wide - 4, height: WORDS.high - 4, told: [[shortened(word), "bdi"], [` at ${t + 1}, ${numbers}${end ? "" : "; choose it to go on from there"}`, "span"]],
          open: end ? null : () => beginWith(run, [...best.ids.slice(0, t), step.ids[k]]) });
        return `${word} ${numbers}`;
      });
      values.push(Array.from({ length: WORDS.shown }, (_, k) => cellsOf[k] ?? ""));
      y += WORDS.high;
    });
    tables.push({ caption: name, corner: "said", columns: ["1", "2", "3", "4", "5"], rows: view.steps.map((_, t) => `${t + 1} ${saidAt(best, t)}`), values });
    widest = Math.max(widest, side + WORDS.shown * WORDS.wide, widthOf(name, 13) + 360);
    y += 14;
  }
  if (!spots.length) return empty("There is nothing to tell of next words here.");
  return { svg: sheet(widest + 4, y, body, "The likeliest words at every step"), spots, tables,
    hint: "A row is a step: what was said there, and the likeliest words behind the words before it. Choose one to have the translation go on from there." };
}

const END = 3; // of a sentence, see symbols.py
const saidAt = (candidate, t) => candidate.tokens[t] ?? "</s>";

function fitted(text, room) {
  let letters = [...legible(text)];
  if (widthOf(letters.join(""), 13) <= room) return letters.join("");
  while (letters.length > 1 && widthOf(`${letters.join("")}…`, 13) > room) letters = letters.slice(0, -1);
  return `${letters.join("")}…`;
}

// What each run says, its words to be chosen; what it does not know; what is wrong.
function drawSaid(items, runs) {
  byId("said-by").innerHTML = runs.map(run => {
    const { name, view, said } = index.runs[run], lang = index.languages[1] ? ` lang="${escaped(index.languages[1])}"` : "";
    if (!view) return !said.error ? "" : `<div class="says"><span class="name">${escaped(name)}</span><p class="fault">${escaped(said.error)}</p></div>`;
    const best = view.candidates?.[0], other = best && index.runs[run].base !== null ? differing(index.runs[index.runs[run].base].view.candidates[0].tokens, best.tokens) : new Set();
    const words = !best ? `<bdi>${escaped(view.output)}</bdi>` : best.tokens.map((word, t) =>
      `<button type="button" class="${t < said.held ? "held" : other.has(t) ? "other" : ""}" data-run="${run}" data-step="${t}" aria-pressed="false" aria-label="${escaped(`${legible(word)}, word ${t + 1}, ${percent(view.steps[t].said)}${t < said.held ? ", given" : other.has(t) ? ", other than before" : ""}`)}"><bdi>${escaped(shortened(word))}</bdi></button>`).join(" ") +
      (best.ended ? ` <button type="button" data-run="${run}" data-step="${best.tokens.length}" aria-pressed="false" aria-label="end, ${percent(view.steps.at(-1).said)}">⏎</button>` : " <small>(the search had to stop here)</small>");
    const strange = said.unknown?.length ? `<p class="note">It does not know: <bdi>${escaped([...new Set(said.unknown)].join(", "))}</bdi></p>` : "";
    return `<div class="says"><span class="name">${escaped(name)}</span><span${lang} dir="auto">${words || "(nothing)"}</span>${strange}${said.note ? `<p class="note">${escaped(said.note)}</p>` : ""}</div>`;
  }).join("");
  byId("step").hidden = true;
}

// The words of a text that are not part of the longest sequence that it has in common with another.
function differing(before, after) {
  const most = Array.from({ length: before.length + 1 }, () => new Int32Array(after.length + 1)); // of what stands before
  before.forEach((word, i) => after.forEach((other, j) => {
    most[i + 1][j + 1] = word === other ? most[i][j] + 1 : Math.max(most[i][j + 1], most[i + 1][j]);
  }));
  const found = new Set(after.keys());
  for (let i = before.length, j = after.length; i && j;) {
    if (before[i - 1] === after[j - 1]) { found.delete(--j); i--; }
    else if (most[i - 1][j] >= most[i][j - 1]) i--;
    else j--;
  }
  return found;
}

function watchSaid() {
  byId("said-by").addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    const run = Number(button.dataset.run), t = Number(button.dataset.step), { view } = index.runs[run], best = view.candidates[0];
    for (const one of byId("said-by").querySelectorAll("button")) one.setAttribute("aria-pressed", String(one === button));
    const step = view.steps[t], behind = index.runs.find(one => one.base === run)?.view.behind?.[t];
    byId("step-name").textContent = `${nameOf(run)}, word ${t + 1}: what it may say here. Choose one, and the translation goes on from there.`;
    byId("step-words").innerHTML = step.words.map((word, k) => step.ids[k] === END ? "" : `<button type="button" data-word="${k}"><bdi>${escaped(shortened(word))}</bdi><small>${percent(step.log_probs[k])}${behind ? ` → ${percent(behind.of[k])}` : ""}</small></button>`).join("") +
      (t ? '<button type="button" data-word="before">only what stands before it</button>' : "") + '<button type="button" data-word="close">Cancel</button>';
    byId("step").dataset.at = JSON.stringify([run, t]);
    byId("step").hidden = false;
    byId("step-words").querySelector("button").focus({ preventScroll: true });
  });
  byId("step-words").addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    const [run, t] = JSON.parse(byId("step").dataset.at), { view } = index.runs[run], before = view.candidates[0].ids.slice(0, t);
    byId("step").hidden = true;
    const word = byId("said-by").querySelector(`[data-run="${run}"][data-step="${t}"]`);
    word?.setAttribute("aria-pressed", "false");
    word?.focus({ preventScroll: true });
    if (button.dataset.word === "before") beginWith(run, before);
    else if (button.dataset.word !== "close") beginWith(run, [...before, view.steps[t].ids[Number(button.dataset.word)]]);
  });
}
