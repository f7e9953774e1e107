// What is painted on a chart beside its lines: bands, arrows, levels, marks of time and names.

const ARROWS_APART = 12;
const LABELS_APART = 15;
const FONT = "system-ui, sans-serif";

export function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function isBand(series) {
  return series.low !== null && series.y.every((y) => y === null);
}

export function hue(series) {
  return ink(series.faint ? `--c${series.hue}-faint` : `--c${series.hue}`);
}

export function fill(series) {
  return ink(`--c${series.hue}-${series.faint && isBand(series) ? "faint" : "band"}`);
}

// Rows of a band without a gap between them.
function runs(series) {
  const found = [[]];
  series.low.forEach((low, at) => (low === null || series.high[at] === null ? found.push([]) : found.at(-1).push(at)));
  return found.filter((run) => run.length);
}

// A band, or bars, from low to high; painted beneath the lines.
export function paintBounds(chart, series) {
  const { ctx, bbox, data: [x] } = chart;
  const place = (axis, value) => chart.valToPos(value, axis, true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = hue(series);
  ctx.fillStyle = fill(series);
  for (const run of runs(series)) {
    const isLine = series.style === "points" || run.length === 1;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.beginPath();
    for (const at of isLine ? run : []) {
      ctx.moveTo(place("x", x[at]), place("y", series.low[at]));
      ctx.lineTo(place("x", x[at]), place("y", series.high[at]));
    }
    if (isLine) ctx.stroke();
    if (isLine) continue;
    run.forEach((at) => ctx.lineTo(place("x", x[at]), place("y", series.high[at])));
    run.toReversed().forEach((at) => ctx.lineTo(place("x", x[at]), place("y", series.low[at])));
    ctx.fill();
  }
  ctx.restore();
}

// An arrow at the end of the axis for each value that goes on beyond it.
export function paintArrows(chart, series) {
  const { ctx, bbox } = chart, unit = devicePixelRatio;
  ctx.save();
  ctx.fillStyle = ink(`--c${series.hue}`);
  for (const [rows, end, outwards] of [[series.below, bbox.top + bbox.height, 1], [series.above, bbox.top, -1]]) {
    let last = -Infinity;
    for (const at of rows) {
      const x = chart.valToPos(chart.data[0][at], "x", true);
      if (x - last < ARROWS_APART * unit) continue;
      last = x;
      ctx.beginPath();
      ctx.moveTo(x, end);
      ctx.lineTo(x - 4 * unit, end - 6 * unit * outwards);
      ctx.lineTo(x + 4 * unit, end - 6 * unit * outwards);
      ctx.fill();
    }
  }
  ctx.restore();
}

// Words that can be read over lines.
function write(ctx, words, { x, y, align }, baseline = "alphabetic") {
  Object.assign(ctx, { textAlign: align, textBaseline: baseline, lineJoin: "round", lineWidth: 4 * devicePixelRatio });
  Object.assign(ctx, { strokeStyle: ink("--paper"), fillStyle: ink("--quiet"), font: `${12 * devicePixelRatio}px ${FONT}` });
  ctx.setLineDash([]);
  ctx.strokeText(words, x, y);
  ctx.fillText(words, x, y);
}

// Where a label of a level can be read: above its line or below, at the right or at the left.
function labelPlace({ bbox }, y, taken) {
  const unit = devicePixelRatio;
  const ends = [[bbox.left + bbox.width - 4 * unit, "right"], [bbox.left + 4 * unit, "left"]];
  const places = [-5, 15].flatMap((away) => ends.map(([x, align]) => ({ x, align, y: y + away * unit })));
  const isFree = (place) => taken.every((other) => other.x !== place.x || Math.abs(other.y - place.y) >= LABELS_APART * unit);
  return places.find(isFree) ?? places[0];
}

// Lines at levels, each with its label; of those that stand at one place the first is painted.
export function paintLevels(chart, levels) {
  const { ctx, bbox } = chart, unit = devicePixelRatio, seen = [], taken = [];
  ctx.save();
  for (const level of levels) {
    const y = chart.valToPos(level.y, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height || seen.some((other) => Math.abs(other - y) < 4 * unit)) continue;
    seen.push(y);
    Object.assign(ctx, { strokeStyle: ink("--quiet"), lineWidth: unit });
    ctx.setLineDash(level.y === 0 ? [] : [5 * unit, 4 * unit]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    const place = labelPlace(chart, y, taken);
    taken.push(place);
    write(ctx, level.label, place);
  }
  ctx.restore();
}

// Where something happened: thin lines.
export function paintTimeMarks(chart, marks) {
  const { ctx, bbox } = chart, unit = devicePixelRatio;
  ctx.save();
  Object.assign(ctx, { strokeStyle: ink("--stop"), fillStyle: ink("--stop"), lineWidth: unit });
  for (const mark of marks) {
    const x = chart.valToPos(mark.x, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + 6 * unit);
    ctx.lineTo(x - 4 * unit, bbox.top);
    ctx.lineTo(x + 4 * unit, bbox.top);
    ctx.fill();
  }
  ctx.restore();
}

// What y is, above its axis, where it covers no number.
export function paintName({ ctx }, name) {
  ctx.save();
  write(ctx, name, { x: 2 * devicePixelRatio, y: 2 * devicePixelRatio, align: "left" }, "top");
  ctx.restore();
}
