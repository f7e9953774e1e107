// What is painted on a chart beside its lines: bands, arrows, levels, marks of time and names.

const ARROWS_APART = 12;
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

// Places along what is drawn, so dense that no words fit between two of them.
function drawnPlaces(chart, series) {
  const { data: [x], bbox } = chart, places = [];
  const along = (from, to) => {
    const parts = Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / (6 * devicePixelRatio));
    for (let part = 0; part <= parts; part += 1) places.push(from.map((at, axis) => at + (part / Math.max(1, parts)) * (to[axis] - at)));
  };
  for (const one of series) {
    const spots = one.y.map((y, at) => (y === null ? null : [chart.valToPos(x[at], "x", true), chart.valToPos(y, "y", true)]));
    spots.forEach((spot, at) => {
      if (!spot) return;
      const next = one.style === "bars" ? [spot[0], bbox.top + bbox.height] : one.style === "points" ? null : spots[at + 1];
      along(spot, next ?? spot);
    });
  }
  return places;
}

// Where a label of a level lies on nothing: above its line or below, at the right, the left or between; undefined where nowhere.
function labelPlace({ ctx, bbox }, label, y, drawn, taken) {
  const unit = devicePixelRatio, size = ctx.measureText(label).width;
  const ends = [[bbox.left + bbox.width - 4 * unit, "right", size], [bbox.left + 4 * unit, "left", 0], [bbox.left + bbox.width / 2, "center", size / 2]];
  const places = [-5, 15].flatMap((away) => ends.map(([x, align, before]) => ({ x, align, y: y + away * unit, left: x - before, right: x - before + size })));
  const top = (place) => place.y - 12 * unit, bottom = (place) => place.y + 4 * unit;
  const isApart = (place, other) => place.right < other.left || other.right < place.left || bottom(place) < top(other) || bottom(other) < top(place);
  const holds = (place, [left, height]) => place.left <= left && left <= place.right && top(place) <= height && height <= bottom(place);
  return places.find((place) => taken.every((other) => isApart(place, other)) && !drawn.some((spot) => holds(place, spot)));
}

// Lines at levels, each with its label where that lies on no data: the legend has all of them.
export function paintLevels(chart, { levels, series }) {
  const { ctx, bbox } = chart, unit = devicePixelRatio, taken = [], drawn = levels.length ? drawnPlaces(chart, series) : [];
  ctx.save();
  ctx.font = `${12 * unit}px ${FONT}`;
  for (const level of levels) {
    const y = chart.valToPos(level.y, "y", true);
    Object.assign(ctx, { strokeStyle: ink("--quiet"), lineWidth: unit });
    ctx.setLineDash(level.y === 0 ? [] : [5 * unit, 4 * unit]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    const place = labelPlace(chart, level.label, y, drawn, taken);
    if (!place) continue;
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
