// Where it begins.
PICTURES.tree = treePicture;
PICTURES.next = nextWords;
PICTURES.map = (items, runs, room) => ({ ...mapPicture(items, runs, room, bars(runs, room)), tables: barTables(runs) });

async function begin() {
  watchTheme();
  hooks.texts = drawSaid;
  state.layer = Infinity;
  watchControls();
  watchFigure();
  watchBands();
  watchQuestion();
  watchLinks();
  watchSaid();
  watchWidth();
  listeners.push(draw);
  drawFields();
  document.body.dataset.ready = "true";
  if (group.texts.every(text => text.trim())) await ask();
  else show(group);
}

begin();
