// A matrix {rows, columns, values}: of one layer (null: the mean of all) and one head (likewise).
function matrixOf(index, look, layer, head) {
  const T = look.rows.length, S = look.columns.length, values = new Float64Array(T * S);
  const layers = layer === null ? [...Array(look.layers).keys()] : [layer];
  const heads = head === null ? [...Array(look.heads).keys()] : [head];
  const { zero = 0 } = look, unit = look.scale / (zero || index.levels) / layers.length / heads.length;
  for (const l of layers) for (const h of heads) {
    const from = (l * look.heads + h) * T * S;
    for (let at = 0; at < T * S; at++) values[at] += (look.bytes[from + at] - zero) * unit;
  }
  return { rows: look.rows, columns: look.columns, values };
}
