// Pictures of an answer: what is worth seeing of each metric, with its numbers.

import { plot } from "./playground-plot.js";

const MOST_BARS = 200;
const MOST_CELLS = 64;
const MOST_MAPS = 4;
const LONG = 28;
const DIGITS = 4;
const MOST_PLACES = 8;
const FAINT = 0.05;

// An element with these attributes; what is no element becomes text.
export function make(tag, attributes = {}, ...children) {
  const drawing = ["svg", "rect", "line", "circle", "text"].includes(tag);
  const element = drawing ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// A number to two digits of its standard error, or without one to four.
export function shown(value, error = null) {
  if (value === null || value === undefined) return "—";
  if (typeof value !== "number") return String(value);
  const places = error ? Math.max(0, 1 - Math.floor(Math.log10(Math.abs(error)))) : null;
  if (places !== null && places <= MOST_PLACES) return value.toFixed(places).replace("-", "−");
  const isWhole = Number.isInteger(value) && Math.abs(value) < 1e15;
  return (isWhole ? value.toLocaleString("en") : powers(String(+value.toPrecision(DIGITS)))).replaceAll("-", "−");
}

const powers = (text) => text.replace(/e\+?(-?\d+)$/, (_, power) => ` × 10${[...power].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit] ?? "⁻").join("")}`);

// A name that may be broken after its dots and underscores.
const breakable = (name) => name.split(/(?<=[._])/).flatMap((part, at) => (at ? [make("wbr"), part] : [part]));

function entry(value) {
  const text = shown(value);
  return make("td", { class: text.length > LONG ? "meaning" : null }, text);
}

export function table(heads, rows, label) {
  const head = make("tr", {}, ...heads.map((name) => make("th", { scope: "col" }, name)));
  const lines = rows.map(([first, ...cells]) => make("tr", {}, make("th", { scope: "row" }, ...breakable(shown(first))), ...cells.map(entry)));
  const inside = make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines));
  return make("div", { class: "scroll long names", tabindex: "0", role: "region", "aria-label": label }, inside);
}

function figure(name, title, caption, drawing, heads, rows) {
  const numbers = make("details", {}, make("summary", {}, "The numbers", make("span", { class: "hidden" }, ` of ${title}`)), table(heads, rows, `The numbers of ${title}`));
  return make("figure", { id: name }, make("figcaption", {}, make("strong", {}, title), ` ${caption}`), ...drawing, numbers);
}

// A figure of bars, points and lines, with a legend where there are several.
function chart(name, title, caption, data) {
  const rows = data.x.map((x, at) => [data.xNames?.[at] ?? x, ...data.series.map((one) => one.y[at])]);
  const signs = { bars: "column", points: "point", line: "curve" };
  const items = data.series.map(({ label, hue, style, dashed }) => make("li", { class: `c${hue}` }, make("span", { class: `${signs[style]}${dashed ? " dashed" : ""}` }), label));
  const legend = items.length > 1 ? [make("ul", { class: "legend" }, ...items)] : [];
  const found = figure(name, title, caption, [plot(data, title), ...legend], [data.xLabel, ...data.series.map((one) => one.label)], rows);
  found.classList.add("picture");
  return found;
}

// The same outcomes in one series or two: bars, and points over them.
function outcomes(name, title, caption, labels, parts) {
  const [xLabel, yLabel] = labels, count = parts[0].y.length;
  const names = parts[0].y.map((_, at) => `${xLabel} ${at}`);
  const series = parts.map((one, at) => ({ style: at ? "points" : "bars", hue: at + 1, ...one }));
  const data = { x: [...names.keys()], xNames: names, yHolds: [0], xLabel, yLabel, series };
  return count && count <= MOST_BARS ? [chart(name, title, caption, data)] : [];
}

const numbers = (value) => Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "number" || one === null);
const first = (value) => (numbers(value) ? value : numbers(value?.[0]) ? value[0] : null);

function distributions(request) {
  const counts = first(request.counts ?? request.p_counts);
  if (counts) return outcomes("distribution", "The counts", "How often each outcome came.", ["outcome", "count"], [{ label: "count", y: counts }]);
  const p = first(request.p), q = first(request.q), parts = [];
  if (p) parts.push({ label: "p", y: p });
  if (q) parts.push({ label: "q", y: q });
  if (!p || (q && q.length !== p.length)) return [];
  const which = numbers(request.p) || request.p.length === 1 ? "" : ` The first of ${request.p.length} rows.`;
  const caption = (q ? "Bars are p, points are q: a point within a bar is an outcome that q makes too little of." : "How likely each outcome is.") + which;
  return outcomes("distribution", q ? "p and q" : "The distribution", caption, ["outcome", "probability"], parts);
}

function rowLosses(answer) {
  const caption = `Each row costs so many ${answer.unit}, before its weight; a row that costs infinity has no bar.`;
  return numbers(answer.per_row) ? outcomes("rows", "What each row costs", caption, ["row", answer.unit], [{ label: "loss", y: answer.per_row }]) : [];
}

function reliability(bins) {
  const filled = (bins ?? []).filter((bin) => bin.weight > 0).sort((a, b) => a.mean_predicted - b.mean_predicted);
  if (!filled.length) return [];
  const inner = filled.map((bin) => [bin.mean_predicted, bin.observed]);
  const points = [[0, null], ...inner, [1, null]].filter(([x, y]) => y !== null || !inner.some(([other]) => other === x));
  const series = [
    { label: "observed", y: points.map(([, y]) => y), hue: 1, style: "points" },
    { label: "where both are the same", y: points.map(([x]) => x), hue: 5, style: "line", dashed: true },
  ];
  const data = { x: points.map(([x]) => x), xLabel: "mean prediction", yLabel: "observed", yHolds: [0, 1], series };
  const caption = "Each point is a bin of predictions: above the dashed line more happened than was said, below it less.";
  return [chart("reliability", "Predicted and observed", caption, data)];
}

// Binary predictions, binned by the service itself.
async function binned(request, post) {
  if (!numbers(request.y_proba) || request.y_proba.length < 2) return [];
  const { y_true, y_proba, sample_weight, labels, pos_label } = request;
  const answer = await post("calibration", { y_true, y_proba, sample_weight, labels, pos_label, bins: 10 });
  return answer ? reliability(answer.details.table) : [];
}

// Means of blocks, where there are more cells than can be seen.
function coarse(map) {
  const side = Math.ceil(Math.max(map.length, map[0].length) / MOST_CELLS);
  if (side === 1) return { cells: map, side };
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const blocks = (list) => Array.from({ length: Math.ceil(list.length / side) }, (_, at) => list.slice(at * side, (at + 1) * side));
  return { cells: blocks(map).map((band) => blocks(map[0]).map((_, at) => mean(band.flatMap((row) => row.slice(at * side, (at + 1) * side))))), side };
}

function heat(name, title, caption, map, box) {
  const { cells, side } = coarse(map), width = cells[0].length, height = cells.length;
  const most = Math.max(...cells.flat().map(Math.abs)) || 1;
  const picture = make("svg", { class: "heat", viewBox: `-0.1 -0.1 ${width + 0.2} ${height + 0.2}`, role: "img", "aria-label": title });
  cells.forEach((row, y) => row.forEach((value, x) => {
    const strength = Math.abs(value) / most;
    picture.append(make("rect", { class: value < 0 ? "minus" : "plus", x, y, width: 1, height: 1, "fill-opacity": strength.toFixed(3) }));
    if (value < 0 && strength > FAINT) picture.append(make("line", { class: "minus", x1: x + 0.35, x2: x + 0.65, y1: y + 0.5, y2: y + 0.5 }));
  }));
  if (box) {
    const [x0, y0, x1, y1] = box.map((edge) => edge / side);
    picture.append(make("rect", { class: "box", x: x0, y: y0, width: x1 - x0, height: y1 - y0 }));
  }
  const blocks = side > 1 ? ` Each cell is the mean of ${side} × ${side}.` : "";
  return figure(name, title, `${caption} The strongest colour is ±${shown(most)}.${blocks}`, [picture], ["row", ...cells[0].map((_, x) => String(x))], cells.map((row, y) => [y, ...row]));
}

function maps({ details }) {
  const list = numbers(details.map?.[0]) ? [details.map] : details.map ?? [];
  const boxes = numbers(details.map?.[0]) ? [details.box] : details.box;
  const caption = "Blue cells speak for the class, orange ones, with a dash, against it; the frame is the box.";
  return list.slice(0, MOST_MAPS).map((map, at) => heat(`map-${at}`, list.length > 1 ? `Image ${at} of ${list.length}` : "Where the information lies", caption, map, boxes[at]));
}

function interval(picture, [low, high], place, y, name) {
  picture.append(make("line", { class: name, x1: place(low), x2: place(high), y1: y, y2: y }));
}

// The smallest effect that matters in the metric's unit: "2%" is of the control's value.
function inUnit({ minimum_effect: minimum, arms, control, metric }) {
  if (typeof minimum !== "string") return minimum;
  const value = arms.find((one) => one.arm === control)?.metrics[metric]?.value;
  return Math.abs(value ?? 0) * Number.parseFloat(minimum) / 100;
}

// Each arm against the control: the effect with its intervals, on one scale.
function forest({ details, unit }) {
  const arms = details.comparisons.filter((one) => one.effect !== null), margin = inUnit(details);
  if (!arms.length) return [];
  const ends = [0, ...(margin ? [-margin, margin] : []), ...arms.flatMap((one) => [one.effect, ...(one.fixed_interval ?? []), ...(one.sequence ?? [])])].filter(Number.isFinite);
  const low = Math.min(...ends), room = Math.max(...ends) - low || 1;
  const place = (value) => 10 + (460 * (value - low)) / room;
  const rows = arms.map((one) => {
    const picture = make("svg", { class: "forest", viewBox: "0 0 480 28", "aria-hidden": "true" });
    for (const at of margin ? [-margin, margin] : []) picture.append(make("line", { class: "margin", x1: place(at), x2: place(at), y1: 0, y2: 28 }));
    picture.append(make("line", { class: "zero", x1: place(0), x2: place(0), y1: 0, y2: 28 }));
    if (one.sequence) interval(picture, one.sequence, place, 14, "sequence");
    if (one.fixed_interval) interval(picture, one.fixed_interval, place, 14, "fixed");
    picture.append(make("circle", { cx: place(one.effect), cy: 14, r: 5 }));
    const words = [make("bdi", {}, one.arm), " against ", make("bdi", {}, one.control), `: ${shown(one.effect)}`];
    return make("div", {}, make("p", {}, ...words), picture);
  });
  const scale = make("p", { class: "ends quiet" }, make("span", {}, shown(low)), make("span", {}, shown(low + room)));
  const caption = `Left of the line at 0 the arm has the lower ${details.metric.replaceAll("_", " ")}. Thick: the interval of one look; thin: the one that holds at every look; dashed: the smallest effect that matters.`;
  const heads = ["arm", "effect", "low", "high", "low at every look", "high at every look"];
  const cells = arms.map((one) => [one.arm, one.effect, ...(one.fixed_interval ?? [null, null]), ...(one.sequence ?? [null, null])]);
  return [figure("forest", "The effect of each arm", caption, [...rows, scale], heads, cells)];
}

// The figures of an answer; `post` asks the service for another metric of the same rows.
export async function pictures(name, request, answer, post) {
  if (["entropy", "cross-entropy", "kl-divergence", "js-divergence"].includes(name)) return distributions(request);
  if (name === "calibration") return reliability(answer.details.table);
  if (name === "recommender") return [...(await binned(request, post)), ...rowLosses(answer)];
  if (name === "log-loss" || name === "brier") return [...(request.task === "multilabel" ? [] : await binned(request, post)), ...rowLosses(answer)];
  if (name === "infocam") return maps(answer);
  if (name === "compare") return forest(answer);
  if (name === "gccs") return outcomes("classes", "What each class costs", "The divergence of each class from its target.", ["class", answer.unit], [{ label: "KL", y: answer.details.kl_per_class }]);
  if (name === "mutual-information" && numbers(request.joint?.[0])) return [heat("joint", "The table", "Rows are X, columns Y.", request.joint, null)];
  return rowLosses(answer);
}
