"use strict";
// The data of the page, unpacked when they are needed; analysis/viewer/packing.py says how they are packed.
const KEPT = 12; // unpacked chunks that are kept

async function unpack(id) {
  const binary = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const chunks = new Map(); // by number, the one that was used last at the end

function chunkOf(number) {
  let found = chunks.get(number);
  if (found) chunks.delete(number);
  else {
    found = unpack(`chunk-${number}`).then(bytes => {
      const size = new DataView(bytes.buffer).getUint32(0, true);
      const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
      return { head, weights: bytes.subarray(4 + size) };
    });
  }
  chunks.set(number, found);
  if (chunks.size > KEPT) chunks.delete(chunks.keys().next().value);
  return found;
}

// What a run has of an item: {kind, note, sentences, gold, looks: {name: {rows, columns, layers, heads, scale, bytes}}}.
async function itemOf(index, run, item) {
  const place = index.places[run];
  let part = place.first.length - 1;
  while (place.first[part] > item) part--;
  const { head, weights } = await chunkOf(place.chunk + part);
  const told = head.items[item - place.first[part]];
  const looks = {};
  for (const [name, [rows, columns, layers, heads, at, scale, zero]] of Object.entries(told.look)) {
    const size = layers * heads * head.labels[rows].length * head.labels[columns].length;
    looks[name] = { rows: head.labels[rows], columns: head.labels[columns], layers, heads, scale, zero,
      bytes: weights.subarray(at, at + size) };
  }
  return { ...told, looks };
}
