// Where it begins.
async function begin() {
  watchTheme();
  if (self !== top) document.documentElement.dataset.framed = ""; // by a dashboard
  index = JSON.parse(new TextDecoder().decode(await unpack("index")));
  state.item = Math.max(0, index.items.findIndex(item => item.length > 0));
  state.layer = Infinity; // the last one
  fillList();
  watchControls();
  watchFigure();
  watchBands();
  let ordered = state.run;
  listeners.push(draw, () => { if (ordered !== state.run) { ordered = state.run; arrange(); } }); // scores are those of the run
  await refresh();
  arrange();
  watchWidth();
  document.body.dataset.ready = "true";
}

begin();
