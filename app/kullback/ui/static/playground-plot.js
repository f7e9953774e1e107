// Plots of the playground: bars, points and lines of an answer, as SVG in the style of the other pictures.

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [480, 306, 72, 464, 40, 250];
const MOST_TICKS = 6;
const MOST_NAMES = 10;

function make(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// Round numbers between two ends: steps of 1, 2 or 5 times a power of ten.
function ticks(low, high) {
  const power = 10 ** Math.floor(Math.log10((high - low) / MOST_TICKS));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => (high - low) / size <= MOST_TICKS);
  const first = Math.ceil(low / step), last = Math.floor(high / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => +((first + at) * step).toPrecision(12));
}

// From the least to the most, with some room, and to 0 where all is on one side of it.
function range(values, room) {
  const low = Math.min(...values), high = Math.max(...values), width = high - low || Math.abs(high) || 1;
  const ends = [low - room * width, high + room * width];
  return [low >= 0 ? Math.max(0, ends[0]) : ends[0], high <= 0 ? Math.min(0, ends[1]) : ends[1]];
}

function scale([low, high], start, stop) {
  return (value) => start + ((value - low) / (high - low)) * (stop - start);
}

function shapes(series, data, x, y, all) {
  const shown = data.x.map((value, at) => [value, series.y[at], at]).filter(([, value]) => typeof value === "number");
  const name = `c${series.hue}${series.dashed ? " dashed" : ""}`;
  const title = ([value, height, at]) => make("title", {}, `${data.xNames?.[at] ?? value}: ${series.label} ${+height.toPrecision(4)}`);
  if (series.style === "line") {
    const points = shown.map(([value, height]) => `${x(value)},${y(height)}`).join(" ");
    return [make("polyline", { class: `curve ${name}`, points })];
  }
  const bars = all.filter((one) => one.style === "bars"), width = Math.min(60, (0.8 * (RIGHT - LEFT)) / data.x.length / Math.max(1, bars.length));
  const marks = shown.map(([value, height, at]) => {
    const start = x(value) + (bars.indexOf(series) - bars.length / 2) * width;
    const size = { width, height: Math.abs(y(height) - y(0)), y: Math.min(y(0), y(height)), x: start };
    const mark = series.style === "bars" ? make("rect", { class: `column ${name}`, ...size }) : make("circle", { class: `point ${name}`, cx: x(value), cy: y(height), r: 4.5 });
    mark.append(title([value, height, at]));
    return mark;
  });
  return marks;
}

export function plot(data, title) {
  const values = [...(data.yHolds ?? []), ...data.series.flatMap((series) => series.y)].filter((value) => typeof value === "number" && Number.isFinite(value));
  const isBars = data.series.some((series) => series.style === "bars");
  const yRange = range(isBars ? [...values, 0] : values, 0.06), xRange = data.xNames ? [-0.6, data.xNames.length - 0.4] : range(data.x, 0.03);
  const x = scale(xRange, LEFT, RIGHT), y = scale(yRange, BOTTOM, TOP);
  const every = data.xNames ? Math.ceil(data.xNames.length / MOST_NAMES) : 1;
  const names = data.xNames ? data.x.filter((at) => at % every === 0).map((at) => [at, data.xNames[at]]) : ticks(...xRange).map((tick) => [tick, String(tick)]);
  const lower = (at) => (data.xNames && names.length > 4 && at % 2 ? 13 : 0);
  const picture = make("svg", { class: "figure", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title });
  picture.append(
    make("text", { class: "name", x: 4, y: 15 }, data.yLabel),
    ...ticks(...yRange).flatMap((tick) => [
      make("line", { class: "grid", x1: LEFT, x2: RIGHT, y1: y(tick), y2: y(tick) }),
      make("text", { class: "tick end", x: LEFT - 6, y: y(tick) + 4.5 }, String(tick).replace("-", "−")),
    ]),
    make("line", { class: "axis", x1: LEFT, x2: RIGHT, y1: BOTTOM, y2: BOTTOM }),
    ...names.map(([at, name], place) => make("text", { class: "tick middle", x: x(at), y: BOTTOM + 17 + lower(place) }, name)),
    make("text", { class: "name end", x: RIGHT, y: HEIGHT - 8 }, data.xLabel),
    ...data.series.flatMap((series) => shapes(series, data, x, y, data.series)),
  );
  return picture;
}
