// Pieces of SVG. Everything that a picture looks like stands in attributes, so that it looks the same wherever it goes.
const SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, sans-serif";
const LEVELS = 32; // shades of a picture
const GOLD = "#e6550d"; // as in viz/heatmap.py

const ink = () => dark()
  ? { paper: "#15181c", ink: "#e6e9ed", soft: "#a0a9b5", rule: "#353b43", halo: "#15181c", link: "#8ab8ff" }
  : { paper: "#ffffff", ink: "#1d2126", soft: "#5a6370", rule: "#dadee4", halo: "#ffffff", link: "#1a56b0" };

const escaped = text => String(text).replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);

// A character that shows nothing is spelt; blanks alone become ␣, as in viz/fonts.py.
function legible(text) {
  if (text === "") return "∅";
  if (/^ +$/.test(text)) return "␣".repeat(text.length);
  return text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, c => `U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
}

const LONGEST = 32;
function shortened(text) {
  const letters = [...legible(text)];
  return letters.length <= LONGEST ? letters.join("") : [...letters.slice(0, 21), "…", ...letters.slice(-10)].join("");
}

const pencil = document.createElement("canvas").getContext("2d");
const widths = new Map();
function widthOf(text, size) {
  const key = `${size} ${text}`;
  if (!widths.has(key)) {
    pencil.font = `${size}px ${SANS}`;
    widths.set(key, pencil.measureText(text).width);
  }
  return widths.get(key);
}

const titleWidth = text => widthOf(text, 13) * 1.15 + 12; // bold letters are broader

function blend(colors, share) {
  const at = Math.max(0, Math.min(1, share)) * (colors.length - 1), low = Math.floor(at);
  const [a, b] = [colors[low], colors[Math.min(low + 1, colors.length - 1)]].map(c => [1, 3, 5].map(i => parseInt(c.slice(i, i + 2), 16)));
  return "#" + a.map((part, i) => Math.round(part + (b[i] - part) * (at - low)).toString(16).padStart(2, "0")).join("");
}

// The colour of a weight; of a difference blue where the first run has more, orange where the second has.
function colorOf(value) {
  const [blues, oranges] = index.colors[dark() ? "dark" : "light"];
  return value >= 0 ? blend(blues, value) : blend(oranges, -value);
}

// What is written on a colour: the nearer of black and white in contrast (WCAG 2.2).
function onColor(color) {
  const [r, g, b] = [1, 3, 5].map(i => parseInt(color.slice(i, i + 2), 16) / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#1d2126" : "#ffffff";
}

const label = (x, y, text, size, more = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" fill="${ink().ink}"${more}>${escaped(text)}</text>`;

function sheet(width, height, body, title) {
  const w = Math.ceil(width), h = Math.ceil(height);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" ` +
    `aria-label="${escaped(title)}" font-family="${SANS}"><rect width="${w}" height="${h}" fill="${ink().paper}"/>${body}</svg>`;
}

// Cells of one shade are one path: thousands of elements would take long. Several maps may share their `paths`.
function cells(values, T, S, x0, y0, width, height, largest) {
  const paths = new Map();
  addCells(paths, values, T, S, x0, y0, width, height, largest);
  return painted(paths);
}

function addCells(paths, values, T, S, x0, y0, width, height, largest) {
  const shape = `h${width.toFixed(2)}v${height.toFixed(2)}h-${width.toFixed(2)}z`;
  const left = Array.from({ length: S }, (_, s) => `M${(x0 + s * width).toFixed(1)} `); // numbers are written once
  for (let t = 0; t < T; t++) {
    const rest = (y0 + t * height).toFixed(1) + shape;
    for (let s = 0; s < S; s++) {
      const level = Math.round(values[t * S + s] / largest * LEVELS);
      if (level) paths.set(level, (paths.get(level) ?? "") + left[s] + rest);
    }
  }
}

function painted(paths) {
  let body = "";
  for (const [level, path] of [...paths].sort(([a], [b]) => a - b)) body += `<path d="${path}" fill="${colorOf(level / LEVELS)}"/>`;
  return body;
}

const rounded = value => (Math.abs(value) < 0.0005 ? "0" : value.toFixed(3).replace("-", "−"));
