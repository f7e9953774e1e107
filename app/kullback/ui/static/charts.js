// Charts: each figure of a page is drawn from the data that stands in it.

const HEIGHT = 260;
const SMALL = 180; // high, of charts side by side: what they share is told once, above them
const POLL_SECONDS = 5;
const LEAST = 1e-6; // of an axis of logits; 1 − this is the most
const ODDS = [1e-5, 1e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.997, 0.999, 0.9999];
const LONGEST_NAME = 16;
const DAY = 86400;
const ARROWS_APART = 12;
const DIGIT = 7; // pixels of a digit, about
const NAME_HEIGHT = 22;
const drawn = new Map();
window.__charts = {};

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function hue(series) {
  return ink(series.faint ? `--c${series.hue}-faint` : `--c${series.hue}`);
}

function band(series) {
  return ink(`--c${series.hue}-${series.faint && isBand(series) ? "faint" : "band"}`);
}

function isBand(series) {
  return series.low !== null && series.y.every((y) => y === null);
}

// A band, or bars, from low to high; drawn beneath the lines.
function drawBounds(chart, series, index) {
  const { ctx } = chart;
  const place = (axis, value) => chart.valToPos(value, axis, true);
  const there = (at) => series.low[at] !== null && series.high[at] !== null;
  ctx.save();
  ctx.beginPath();
  ctx.rect(chart.bbox.left, chart.bbox.top, chart.bbox.width, chart.bbox.height);
  ctx.clip();
  if (series.style === "points") {
    ctx.strokeStyle = hue(series);
    ctx.lineWidth = 1.5 * devicePixelRatio;
    chart.data[0].forEach((x, at) => {
      if (!there(at)) return;
      ctx.beginPath();
      ctx.moveTo(place("x", x), place("y", series.low[at]));
      ctx.lineTo(place("x", x), place("y", series.high[at]));
      ctx.stroke();
    });
  } else {
    ctx.fillStyle = band(series);
    let run = [];
    const fill = () => {
      if (run.length === 1) {
        const [at] = run;
        const x = place("x", chart.data[0][at]), high = place("y", series.high[at]);
        ctx.fillRect(x - devicePixelRatio, high, 2 * devicePixelRatio, place("y", series.low[at]) - high);
      } else if (run.length > 1) {
        ctx.beginPath();
        run.forEach((at, step) => {
          const move = step === 0 ? "moveTo" : "lineTo";
          ctx[move](place("x", chart.data[0][at]), place("y", series.high[at]));
        });
        [...run].reverse().forEach((at) => {
          ctx.lineTo(place("x", chart.data[0][at]), place("y", series.low[at]));
        });
        ctx.closePath();
        ctx.fill();
      }
      run = [];
    };
    chart.data[0].forEach((_, at) => (there(at) ? run.push(at) : fill()));
    fill();
  }
  ctx.restore();
}

// An arrow at the end of the axis for each value that goes on beyond it.
function drawArrows(chart, series) {
  const { ctx, bbox } = chart, unit = devicePixelRatio;
  ctx.save();
  ctx.fillStyle = hue(series);
  for (const [rows, end, outwards] of [[series.below, bbox.top + bbox.height, 1], [series.above, bbox.top, -1]]) {
    let last = -Infinity;
    for (const at of rows ?? []) {
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
function write(ctx, words, x, y, align) {
  ctx.textAlign = align;
  ctx.lineJoin = "round";
  ctx.lineWidth = 4 * devicePixelRatio;
  ctx.strokeStyle = ink("--paper");
  ctx.setLineDash([]);
  ctx.strokeText(words, x, y);
  ctx.fillText(words, x, y);
}

// Where a label of a level can be read: above its line or below, at the right or at the left.
function labelPlace({ bbox }, y, taken) {
  const unit = devicePixelRatio;
  const ends = [[bbox.left + bbox.width - 4 * unit, "right"], [bbox.left + 4 * unit, "left"]];
  const places = [-5, 15].flatMap((away) => ends.map(([x, align]) => ({ x, align, y: y + away * unit })));
  const isFree = (place) => taken.every((other) => other.x !== place.x || Math.abs(other.y - place.y) >= 15 * unit);
  return places.find(isFree) ?? places[0];
}

function drawLevels(chart, levels) {
  const { ctx } = chart;
  ctx.save();
  ctx.fillStyle = ink("--quiet");
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textBaseline = "alphabetic";
  const seen = [], taken = [];
  for (const level of levels) {
    const y = chart.valToPos(level.y, "y", true);
    if (y < chart.bbox.top || y > chart.bbox.top + chart.bbox.height) continue;
    if (seen.some((other) => Math.abs(other - y) < 4 * devicePixelRatio)) continue;
    seen.push(y);
    ctx.strokeStyle = ink("--quiet");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash(level.y === 0 ? [] : [5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(chart.bbox.left, y);
    ctx.lineTo(chart.bbox.left + chart.bbox.width, y);
    ctx.stroke();
    const place = labelPlace(chart, y, taken);
    taken.push(place);
    write(ctx, level.label, place.x, place.y, place.align);
  }
  ctx.restore();
}

// What y is, above its axis, where it covers no number.
function drawName(chart, name) {
  const { ctx } = chart;
  ctx.save();
  ctx.fillStyle = ink("--quiet");
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textBaseline = "top";
  write(ctx, name, 2 * devicePixelRatio, 2 * devicePixelRatio, "left");
  ctx.restore();
}

// Bars of two series stand side by side.
function bars(series, all) {
  const those = all.filter((one) => one.style === "bars");
  const align = those.length === 2 ? (those[0] === series ? -1 : 1) : 0;
  return uPlot.paths.bars({ size: [0.9 / those.length, 60], align });
}

function paths(series, all) {
  if (series.style === "bars") return bars(series, all);
  if (series.style === "points") return () => null;
  return uPlot.paths.linear();
}

// Where a line has a value between two gaps only a dot can be seen.
function alone(values) {
  const isGap = (at) => values[at] === null || values[at] === undefined;
  return values.map((_, at) => at).filter((at) => !isGap(at) && isGap(at - 1) && isGap(at + 1));
}

function dots(series, colour) {
  const all = { show: true, size: 8, fill: colour, stroke: colour };
  if (series.style === "points") return all;
  if (series.style === "bars") return { show: false };
  return { ...all, size: 5, filter: (chart, index) => alone(chart.data[index]) };
}

function line(series, _at, all) {
  const colour = isBand(series) ? band(series) : hue(series);
  const filled = isBand(series) || series.style === "bars" || series.style === "area";
  return {
    label: series.label,
    stroke: colour,
    fill: filled ? band(series) : undefined,
    width: series.faint ? 1.25 : 2,
    dash: series.dashed ? [6, 5] : undefined,
    paths: paths(series, all),
    spanGaps: false,
    points: dots(series, colour),
  };
}

// The range of y that the service tells, or for what the page itself makes that of its values.
function range(data) {
  if (data.yRange) return data.yRange;
  const values = [...(data.yHolds ?? []), ...data.series.flatMap((series) => series.y.filter((y) => y !== null))];
  if (data.series.some((series) => series.style === "bars")) values.push(0);
  return uPlot.rangeNum(Math.min(...values), Math.max(...values), 0.1, true);
}

function axis(label, size) {
  const colour = ink("--quiet");
  const grid = { stroke: ink("--grid"), width: 1 };
  return { label, stroke: colour, grid, ticks: grid, size, labelSize: 22, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif" };
}

function logit(p) {
  const inside = Math.min(Math.max(p, LEAST), 1 - LEAST);
  return Math.log(inside / (1 - inside));
}

function probability(x) {
  return 1 / (1 + Math.exp(-x));
}

// A scale of logits that shows all that lies inside of 0 and 1.
function oddsScale(values) {
  const inside = values.filter((p) => p !== null && p > 0 && p < 1).map(logit);
  const low = Math.min(...inside), high = Math.max(...inside);
  const room = 0.05 * Math.max(high - low, 1);
  return { time: false, distr: 100, fwd: logit, bwd: probability, range: () => [probability(low - room), probability(high + room)] };
}

// Bars at both ends are seen as wide as the others.
function barsScale(data) {
  const half = Math.min(...data.x.slice(1).map((x, at) => x - data.x[at])) / 2;
  return { time: data.time, range: (_, low, high) => [low - half, high + half] };
}

// Points at both ends are seen whole.
function pointsScale(data) {
  if (data.x.length === 1) {
    const half = data.time ? 1800 : 0.1; // else uPlot shows years around it
    return { time: data.time, range: () => [data.x[0] - half, data.x[0] + half] };
  }
  const pad = 0.03 * ((data.x.at(-1) ?? 0) - (data.x[0] ?? 0)) || 0.1;
  return { time: data.time, range: (_, low, high) => [low - pad, high + pad] };
}

function xScale(data) {
  if (data.xNames) return { time: false, range: () => [-0.6, data.xNames.length - 0.4] };
  if (data.xScale === "logit") return oddsScale(data.x);
  if (data.x.length > 1 && data.series.some((series) => series.style === "bars")) return barsScale(data);
  if (data.series.some((series) => series.style === "points") && data.xScale === "linear") return pointsScale(data);
  return { time: data.time };
}

function yScale(data) {
  const [low, high] = range(data);
  if (data.yScale === "logit") return { time: false, distr: 100, fwd: logit, bwd: probability, range: () => [low, high] };
  return { range: () => [low, high] };
}

function oddsTicks(axis) {
  const splits = (chart, at, low, high) => {
    const size = (at === 0 ? chart.bbox.width : chart.bbox.height) / devicePixelRatio;
    const place = (p) => (size * (logit(p) - logit(low))) / (logit(high) - logit(low));
    const kept = [];
    for (const p of ODDS) {
      const near = kept.length > 0 && place(p) - place(kept.at(-1)) < (at === 0 ? 40 : 18);
      if (p >= low && p <= high && !near) kept.push(p);
    }
    return kept;
  };
  return { ...axis, filter: (_, ticks) => ticks, splits, values: (_, ticks) => ticks.map(String) };
}

// Words where there is room for them, in two lines or else of every third, fourth, …
function namedTicks(axis, names) {
  const short = (name) => name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
  const room = 14 + 6.5 * Math.max(...names.map((name) => short(name).length));
  const every = (chart) => Math.ceil(names.length / Math.max(1, Math.floor(chart.bbox.width / devicePixelRatio / room)));
  return {
    ...axis,
    splits: (chart) => names.map((_, at) => at).filter((at) => every(chart) <= 2 || at % every(chart) === 0),
    values: (chart, ticks) => ticks.map((at) => every(chart) === 2 && at % 2 === 1 ? `\n${short(names[at])}` : short(names[at])),
  };
}

// Hours with the day beneath where it changes, or days with the year; in UTC, as in tables.
function timeTicks(axis) {
  const told = (moment, before, step) => {
    const [day, hour] = [moment.slice(0, 10), moment.slice(11, 16)];
    if (step < DAY) return day === before ? hour : `${hour}\n${before === "" ? day : day.slice(5)}`;
    return day.slice(0, 4) === before.slice(0, 4) ? day.slice(5) : `${day.slice(5)}\n${day.slice(0, 4)}`;
  };
  return {
    ...axis,
    space: 60,
    values: (_chart, ticks, _at, _space, step) => {
      const moments = ticks.map((tick) => new Date(tick * 1000).toISOString());
      return moments.map((moment, at) => told(moment, at === 0 ? "" : moments[at - 1].slice(0, 10), step));
    },
  };
}

function xAxis(data) {
  const plain = axis(data.xLabel, data.time || data.xNames ? 58 : 42);
  if (data.time) return timeTicks(plain);
  if (data.xNames) return namedTicks(plain, data.xNames);
  return data.xScale === "logit" ? oddsTicks(plain) : plain;
}

// The ticks that the service chose, with as much room as their words take.
function yAxis(data) {
  const plain = { ...axis(undefined, 62), labelSize: 0 };
  if (data.yScale === "logit") return oddsTicks(plain);
  if (!data.yTicks) return { ...plain, values: (_, ticks) => ticks.map((tick) => tick === null ? "" : String(+tick.toPrecision(6))) };
  const words = data.yTicks.map(([, word]) => word.replace("-", "−"));
  const size = 18 + DIGIT * Math.max(...words.map((word) => word.length));
  return { ...plain, size, splits: () => data.yTicks.map(([value]) => value), filter: (_, ticks) => ticks, values: () => words };
}

function isSmall(place) {
  return place.closest(".figures.small") !== null;
}

function height(place) {
  return isSmall(place) ? SMALL : HEIGHT;
}

function options(data, place) {
  return {
    width: place.clientWidth,
    height: height(place),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    scales: { x: xScale(data), y: yScale(data) },
    axes: [xAxis(data), yAxis(data)].map((axis) => (isSmall(place) ? { ...axis, label: undefined } : axis)),
    series: [{ label: data.xLabel }, ...data.series.map(line)],
    padding: [isSmall(place) ? null : NAME_HEIGHT, null, null, null],
    legend: { live: false, show: data.series.length > 1 && !isSmall(place) },
    cursor: { drag: { x: false, y: false } },
    hooks: {
      drawClear: [(chart) => data.series.forEach((series) => series.low && drawBounds(chart, series))],
      draw: [
        (chart) => drawLevels(chart, data.levels),
        (chart) => data.series.forEach((series) => drawArrows(chart, series)),
        (chart) => isSmall(place) || drawName(chart, data.yLabel),
      ],
    },
  };
}

// What has no place on an axis is drawn as a gap, and an interval that has no end to that of the axis.
function finite(data) {
  const [low, high] = data.yRange ?? [];
  const ended = (values) => values?.map((value) => (value === "inf" ? high : value === "-inf" ? low : value)) ?? null;
  const known = (value) => (typeof value === "number" ? value : null);
  const series = data.series.map((one) => ({ ...one, y: one.y.map(known), low: ended(one.low), high: ended(one.high) }));
  return { ...data, series };
}

export function draw(figure) {
  const place = figure.querySelector(".plot");
  if (!place) return;
  const data = finite(JSON.parse(figure.querySelector("script[type='application/json']").textContent));
  drawn.get(figure.id)?.destroy();
  const chart = new uPlot(options(data, place), [data.x, ...data.series.map((series) => series.y)], place);
  drawn.set(figure.id, chart);
  window.__charts[figure.id] = { chart, data };
}

export function drawAll() {
  document.querySelectorAll("figure.chart").forEach(draw);
}

function fit() {
  for (const chart of drawn.values()) {
    const place = chart.root.parentElement;
    if (place?.clientWidth && place.clientWidth !== chart.width) chart.setSize({ width: place.clientWidth, height: height(place) });
  }
}

// What is open, and where the keyboard is, stays as it was when the page is renewed.
function renew(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("content");
  const content = document.getElementById("content");
  const open = [...content.querySelectorAll("details[open]")].map((part) => part.closest("[id]")?.id);
  const focused = document.activeElement?.id;
  const chosen = [...content.querySelectorAll("form.pickers :is(input, select)[id]")].map(({ id, value }) => [id, value]);
  drawn.forEach((chart) => chart.destroy());
  drawn.clear();
  content.replaceChildren(...fresh.childNodes);
  open.forEach((id) => id && document.getElementById(id)?.querySelector("details")?.setAttribute("open", ""));
  chosen.forEach(([id, value]) => Object.assign(document.getElementById(id) ?? {}, { value }));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  drawAll();
}

function isChoosing() {
  return document.activeElement?.matches("form.pickers :is(input, select)") ?? false;
}

// A time that is typed in is the one meant, and so is a range that is picked.
function agree({ target }) {
  const range = target.form?.elements.namedItem("range");
  if (!range) return;
  if (target.type === "datetime-local") range.value = "custom";
  if (target === range && range.value !== "custom") {
    target.form.querySelectorAll("input[type='datetime-local']").forEach((field) => { field.value = ""; });
  }
}

async function poll(known) {
  const status = document.getElementById("live");
  let tag = known;
  try {
    const answer = await fetch(location.href, { headers: tag ? { "if-none-match": tag } : {}, cache: "no-store" });
    if (answer.status === 200) {
      const fresh = answer.headers.get("etag");
      const waits = fresh !== tag && tag !== null && isChoosing();
      if (waits) {
        status.textContent = "Waits while you choose.";
        setTimeout(poll, POLL_SECONDS * 1000, tag);
        return;
      }
      if (tag !== null && fresh !== tag) renew(await answer.text());
      tag = fresh;
    }
    status.textContent = answer.ok || answer.status === 304 ? "Live." : `Not renewed: the service answered ${answer.status}.`;
  } catch {
    status.textContent = "Not renewed: the service does not answer.";
  }
  setTimeout(poll, POLL_SECONDS * 1000, tag);
}

drawAll();
addEventListener("resize", fit);
addEventListener("input", agree);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
if (document.querySelector("main[data-live]")) poll(null);
