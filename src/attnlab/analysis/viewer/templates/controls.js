// The controls of the stage, and dark or light.
function watchControls() {
  const number = value => value === "mean" ? null : Number(value);
  byId("run").addEventListener("change", event => {
    const layer = shown[0]?.looks[state.look]?.layers === 1 ? Infinity : state.layer; // the last of what had no layers
    setRun(Number(event.target.value), { layer });
  });
  byId("moment").addEventListener("input", event => setRun(momentsOf(state.run)[Number(event.target.value)]));
  byId("beside").addEventListener("change", event => set({ beside: event.target.value }));
  byId("look").addEventListener("change", event => set({ look: event.target.value, layer: Infinity, head: null, row: null }));
  byId("layer").addEventListener("change", event => set({ layer: number(event.target.value) }));
  byId("head").addEventListener("change", event => set({ head: number(event.target.value) }));
  for (const name of ["gold", "joined", "numbers", "stretched"]) byId(name).addEventListener("change", event => set({ [name]: event.target.checked }));
  byId("options").addEventListener("change", event => set({ measure: { measure: event.target.value }, "flow-row": { row: Number(event.target.value) }, way: { way: event.target.value } }[event.target.id]));
  const tabs = [...document.querySelectorAll("[role=tab]")];
  tabs.forEach(tab => {
    tab.addEventListener("click", () => set({ tab: tab.dataset.tab }));
    tab.addEventListener("keydown", event => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const there = tabs.filter(one => !one.hidden), next = there[(there.indexOf(tab) + step + there.length) % there.length];
      next.focus();
      set({ tab: next.dataset.tab });
    });
  });
  byId("controls").addEventListener("submit", event => event.preventDefault());
  byId("save-svg").addEventListener("click", saveSvg);
  byId("save-png").addEventListener("click", savePng);
  byId("print").addEventListener("click", () => print());
  byId("tabled").addEventListener("toggle", () => byId("tabled").open && drawTable());
}

function watchTheme() {
  const wish = matchMedia("(prefers-color-scheme: dark)");
  const choose = theme => {
    document.documentElement.dataset.theme = theme;
    byId("theme").setAttribute("aria-pressed", String(theme === "dark"));
    if (index) refresh();
  };
  choose(wish.matches ? "dark" : "light");
  wish.addEventListener("change", () => choose(wish.matches ? "dark" : "light"));
  byId("theme").addEventListener("click", () => choose(dark() ? "light" : "dark"));
  addEventListener("beforeprint", () => { state.screen = document.documentElement.dataset.theme; document.documentElement.dataset.theme = "light"; printed(); });
  addEventListener("afterprint", () => choose(state.screen));
}

// On paper as on a light page; no picture can wait there for anything to be unpacked.
function printed() {
  if (index && shown.length) draw(shown, runsShown());
}

// The room of the picture is that of the window.
function watchWidth() {
  let wide = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== wide) { wide = innerWidth; if (index) refresh(); } });
}
