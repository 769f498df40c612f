// The list of items: searched, filtered, ordered. Only the part of it that is seen stands in the page.
const ROW = 44; // pixels
const list = { order: [], at: 0 };
const field = name => item => item[name][state.run];

const ORDERS = {
  number: { title: "as tested", key: null },
  length: { title: "shortest first", key: item => item.length },
  longest: { title: "longest first", key: item => -item.length },
  worst: { title: "worst score first", key: item => worse(item.score[state.run]) },
  best: { title: "best score first", key: item => negative(worse(item.score[state.run])) },
  aer: { title: "worst alignment first", key: item => negative(item.aer[state.run]) },
  entropy: { title: "most spread attention first", key: item => negative(item.entropy[state.run]) },
  sharpest: { title: "sharpest attention first", key: item => item.entropy[state.run] },
};
const negative = value => value === null ? null : -value;
const worse = value => value === null ? null : index.score.higher ? value : -value;
const RANGES = { length: ["length", item => item.length], score: ["score", field("score")], aer: ["alignment error (AER)", field("aer")], entropy: ["entropy, bits", field("entropy")] };

function fillList() {
  const sort = document.getElementById("sort");
  const has = name => index.items.some(item => ORDERS[name].key === null || ORDERS[name].key(item) !== null);
  for (const name of Object.keys(ORDERS)) if (has(name)) sort.add(new Option(ORDERS[name].title.replace("score", index.score.title || "score"), name));
  const ranges = document.getElementById("ranges");
  for (const [name, [title, of]] of Object.entries(RANGES)) {
    const there = index.items.map(of).filter(value => value !== null);
    if (!there.length) continue;
    const told = name === "score" ? index.score.title : title;
    const step = name === "length" ? 1 : "any";
    ranges.insertAdjacentHTML("beforeend", `<fieldset><legend>${escaped(told)}</legend><label>from <input type="number" step="${step}" data-range="${name}" data-end="low" placeholder="${Math.min(...there)}"></label> <label>to <input type="number" step="${step}" data-range="${name}" data-end="high" placeholder="${Math.max(...there)}"></label></fieldset>`);
  }
  for (const input of [document.getElementById("search"), sort, ...ranges.querySelectorAll("input")]) input.addEventListener("input", arrange);
  document.getElementById("unfilter").addEventListener("click", () => {
    document.getElementById("search").value = "";
    for (const input of ranges.querySelectorAll("input")) input.value = "";
    arrange();
  });
  const box = document.getElementById("list");
  box.addEventListener("scroll", drawList);
  box.addEventListener("click", event => {
    const row = event.target.closest("[data-item]");
    if (row) choose(Number(row.dataset.place));
  });
  box.addEventListener("keydown", event => {
    const page = Math.max(1, Math.floor(box.clientHeight / ROW) - 1);
    const to = { ArrowDown: list.at + 1, ArrowUp: list.at - 1, PageDown: list.at + page, PageUp: list.at - page, Home: 0, End: list.order.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(list.order.length - 1, to)));
  });
  addEventListener("resize", drawList);
}

function arrange() {
  const wanted = document.getElementById("search").value.trim().toLowerCase();
  const bounds = [...document.querySelectorAll("[data-range]")].filter(input => input.value !== "").map(input => [RANGES[input.dataset.range][1], input.dataset.end, Number(input.value)]);
  const fits = item => bounds.every(([of, end, bound]) => of(item) !== null && (end === "low" ? of(item) >= bound : of(item) <= bound)) &&
    (!wanted || [item.input, item.reference, ...item.output].some(text => (text ?? "").toLowerCase().includes(wanted)));
  list.order = index.items.map((_, number) => number).filter(number => fits(index.items[number]));
  const { key } = ORDERS[document.getElementById("sort").value];
  if (key) {
    const keys = new Map(list.order.map(number => [number, key(index.items[number])]));
    list.order.sort((a, b) => (keys.get(a) === null) - (keys.get(b) === null) || keys.get(a) - keys.get(b) || a - b);
  }
  document.getElementById("count").textContent = `${list.order.length.toLocaleString("en")} of ${index.items.length.toLocaleString("en")} ${index.words.items}`;
  list.at = Math.max(0, list.order.indexOf(state.item));
  document.getElementById("list").scrollTop = 0;
  drawList();
}

function choose(place) {
  list.at = place;
  const box = document.getElementById("list"), top = place * ROW;
  if (top < box.scrollTop) box.scrollTop = top;
  if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW - box.clientHeight;
  const done = set({ item: list.order[place], row: null });
  drawList();
  return done;
}

function drawList() {
  const box = document.getElementById("list"), first = Math.max(0, Math.floor(box.scrollTop / ROW) - 4);
  const last = Math.min(list.order.length, first + Math.ceil(box.clientHeight / ROW) + 8);
  let rows = `<li role="presentation" style="height:${first * ROW}px"></li>`;
  for (let place = first; place < last; place++) {
    const number = list.order[place], item = index.items[number], chosen = number === state.item;
    const told = [item.score[state.run] === null ? "" : `${index.score.title} ${short(item.score[state.run])}`,
      item.aer[state.run] === null ? "" : `AER ${short(item.aer[state.run])}`,
      item.entropy[state.run] === null ? "no attention" : `${short(item.entropy[state.run])} bits`].filter(Boolean).join(" · ");
    rows += `<li role="option" id="item-${number}" data-item="${number}" data-place="${place}" aria-selected="${chosen}" aria-setsize="${list.order.length}" aria-posinset="${place + 1}"><span class="line"><b>${number + 1}</b> <bdi>${escaped(item.input.slice(0, 160))}</bdi></span><small>${escaped(told)}</small></li>`;
  }
  box.innerHTML = rows + `<li role="presentation" style="height:${(list.order.length - last) * ROW}px"></li>`;
  if (list.order.includes(state.item)) box.setAttribute("aria-activedescendant", `item-${state.item}`);
  else box.removeAttribute("aria-activedescendant");
}

const short = value => Number(value.toFixed(2)).toString();
