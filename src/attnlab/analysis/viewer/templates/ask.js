// The question, and what becomes of it. An answer that is not the last one asked for is dropped.
let asking = 0, waiting = null, typing = 0;
const PAUSE = 500; // milliseconds after the last key

function drawFields() {
  const title = name => name[0].toUpperCase() + name.slice(1);
  byId("fields").innerHTML = group.fields.map((name, n) => `<label for="field-${n}">${escaped(title(name))}</label><textarea id="field-${n}" rows="${name === "document" ? 9 : 3}" dir="auto" spellcheck="false"${group.languages[0] ? ` lang="${escaped(group.languages[0])}"` : ""}></textarea>`).join("");
  group.fields.forEach((_, n) => { byId(`field-${n}`).value = group.texts[n]; });
  byId("of-translation").hidden = group.task !== "translation";
  byId("beginning").value = group.beginning.text;
  if (group.languages[1]) byId("beginning").lang = group.languages[1];
}

function watchQuestion() {
  byId("with-group").hidden = groups.length < 2;
  byId("group").addEventListener("change", event => {
    const chosen = groups[Number(event.target.value)];
    stop();
    byId("step").hidden = byId("link").hidden = true;
    tellFault("");
    show(chosen);
    drawFields();
    drawLinks();
    if (!chosen.asked) ask();
  });
  byId("question").addEventListener("submit", event => { event.preventDefault(); ask(); });
  byId("fields").addEventListener("input", event => {
    group.texts[Number(event.target.id.slice(6))] = event.target.value;
    group.links = []; // they are those of other words
    drawLinks();
    later();
  });
  byId("fields").addEventListener("keydown", event => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    if (group.fields.includes("document") && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    ask();
  });
  byId("beginning").addEventListener("input", event => { group.beginning = { text: event.target.value }; later(); });
  byId("beam").addEventListener("change", () => later());
}

function later() {
  clearTimeout(typing);
  if (byId("live").checked) typing = setTimeout(ask, PAUSE);
}

function stop() {
  clearTimeout(typing);
  waiting?.abort();
  asking++;
  byId("stage").setAttribute("aria-busy", "false");
  byId("status").textContent = "";
}

// Go on from exactly these tokens of a run.
function beginWith(run, ids) {
  group.beginning = { text: "", run: index.runs[run].number, ids };
  byId("step").hidden = true;
  return ask();
}

function question() {
  const beam = Math.max(1, Math.min(20, Math.round(Number(byId("beam").value)) || 1));
  const links = group.links.length ? { columns: group.columns, changes: group.links } : null;
  return { group: groups.indexOf(group), texts: group.texts, beam, beginning: group.beginning, links };
}

async function ask() {
  stop();
  const ticket = asking, of = group, asked = question(), runs = of.runs.length;
  waiting = new AbortController();
  byId("stage").setAttribute("aria-busy", "true");
  byId("status").textContent = `Asking ${runs} ${runs === 1 ? "run" : "runs"} …`;
  const began = performance.now();
  let fault = "", answer = null;
  try {
    const response = await fetch("answer", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked), signal: waiting.signal });
    answer = await response.json();
    fault = answer.error ?? "";
  } catch (error) {
    fault = error.name === "AbortError" ? "" : "attnlab play does not answer: has it been ended? Start it again, and ask again.";
  }
  if (ticket !== asking) return;
  byId("stage").setAttribute("aria-busy", "false");
  const wrong = fault || (answer ? sharedFault(answer.runs) : "");
  tellFault(wrong);
  byId("status").textContent = wrong ? "" : `Answered in ${((performance.now() - began) / 1000).toFixed(2)} s`;
  if (fault || !answer || wrong) return;
  of.asked = asked;
  of.beginning = { ...asked.beginning, text: answer.beginning };
  byId("beginning").value = answer.beginning;
  of.index = indexOf(of, asked, answer);
  await show(of);
  drawLinks();
  document.body.dataset.answered = String(ticket);
}

// What all runs say is wrong, where they say the same.
function sharedFault(runs) {
  const errors = runs.map(run => run.error ?? "");
  return errors.every(error => error && error === errors[0]) ? errors[0] : "";
}

function tellFault(text) {
  byId("fault").textContent = text;
  byId("fault").hidden = !text;
}
