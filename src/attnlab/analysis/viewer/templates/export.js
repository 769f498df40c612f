// What is on the screen, as a file: the picture itself, as it stands in the page, without what pointing has marked.
function drawnNow() {
  const svg = byId("figure").querySelector("svg").cloneNode(true);
  for (const marked of svg.querySelectorAll(".mark")) marked.remove();
  return new XMLSerializer().serializeToString(svg);
}

function save(blob, suffix) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `attention-${state.item + 1}-${state.tab}.${suffix}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const saveSvg = () => save(new Blob([drawnNow()], { type: "image/svg+xml" }), "svg");

async function savePng() {
  const text = drawnNow(), image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const scale = Math.min(3, 16_000 / Math.max(image.width, image.height)), canvas = document.createElement("canvas");
  canvas.width = image.width * scale;
  canvas.height = image.height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.drawImage(image, 0, 0);
  save(await new Promise(done => canvas.toBlob(done, "image/png")), "png");
}
