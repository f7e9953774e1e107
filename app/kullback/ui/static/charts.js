// Charts over time: each figure is drawn from the data that stands in it.

import { axes, dateOf, scales } from "./chart-axes.js";
import { fill, hue, isBand, paintArrows, paintBounds, paintLevels, paintName, paintTimeMarks } from "./chart-canvas.js";
import { bindKeys, cursor, hooks, read } from "./chart-cursor.js";
import { MARKS_HEIGHT, placeMarks } from "./chart-marks.js";
import { offerReset } from "./chart-zoom.js";
import "./figure-files.js";
import "./live.js";

const HEIGHT = 260;
const SMALL = 180; // high, of charts side by side: what they share is said once, above them
const NAME_HEIGHT = 22;
const SMALL_TOP = 8;
export const drawn = new Map(); // the chart and its data, by the id of the figure

function paths(series) {
  if (series.style === "bars") return uPlot.paths.bars({ size: [0.9, 60] });
  return series.style === "points" ? () => null : uPlot.paths.linear();
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

function line(series) {
  const colour = isBand(series) ? fill(series) : hue(series);
  const isFilled = isBand(series) || series.style === "bars";
  return {
    label: series.label,
    stroke: colour,
    fill: isFilled ? fill(series) : undefined,
    width: series.faint ? 1.25 : 2,
    dash: series.dashed ? [6, 5] : series.faint && !isBand(series) ? [2, 3] : undefined,
    paths: paths(series),
    spanGaps: false,
    points: dots(series, colour),
  };
}

const isSmall = (figure) => figure.closest(".figures.small") !== null;
const height = (figure) => (isSmall(figure) ? SMALL : HEIGHT);

function options(data, figure, place) {
  const small = isSmall(figure);
  return {
    width: place.clientWidth,
    height: height(figure),
    tzDate: (seconds) => dateOf(data, seconds),
    scales: scales(data),
    axes: axes(data, small),
    series: [{ label: data.xLabel }, ...data.series.map(line)],
    padding: [(small ? SMALL_TOP : NAME_HEIGHT) + (data.timeMarks.length ? MARKS_HEIGHT : 0), null, null, null],
    legend: { show: false },
    cursor: cursor(figure, data),
    hooks: {
      ...hooks(figure, data),
      drawClear: [(chart) => data.series.forEach((series) => series.low && paintBounds(chart, series))],
      draw: [
        (chart) => paintLevels(chart, data),
        (chart) => data.series.forEach((series) => paintArrows(chart, series)),
        (chart) => paintTimeMarks(chart, data.timeMarks),
        (chart) => placeMarks(chart, data),
        (chart) => small || paintName(chart, data.yLabel),
      ],
    },
  };
}

// What has no place on an axis is a gap, and an interval without an end goes to that of the axis.
function finite(data) {
  const [low, high] = data.yRange;
  const ended = (values) => values?.map((value) => (value === "inf" ? high : value === "-inf" ? low : value)) ?? null;
  const finiteOnly = (value) => (typeof value === "number" ? value : null);
  const series = data.series.map((one) => ({ ...one, y: one.y.map(finiteOnly), low: ended(one.low), high: ended(one.high) }));
  return { ...data, series };
}

function draw(figure) {
  const place = figure.querySelector(".plot");
  const data = finite(JSON.parse(figure.querySelector("script[type='application/json']").textContent));
  drawn.get(figure.id)?.chart.destroy();
  const chart = new uPlot(options(data, figure, place), [data.x, ...data.series.map((series) => series.y)], place);
  bindKeys(chart, place, data);
  read(figure, data, null);
  drawn.set(figure.id, { chart, data });
}

function drawAll() {
  document.querySelectorAll("figure.chart:has(.plot)").forEach(draw);
  offerReset();
}

function drawAnew() {
  drawn.forEach(({ chart }) => chart.destroy());
  drawn.clear();
  drawAll();
}

function fit() {
  for (const [id, { chart }] of drawn) {
    const place = chart.root.parentElement, figure = document.getElementById(id);
    if (!place?.clientWidth || place.clientWidth === chart.width) continue;
    chart.setSize({ width: place.clientWidth, height: height(figure) });
  }
}

drawAll();
addEventListener("resize", fit);
document.addEventListener("renewed", drawAnew);
document.addEventListener("zoomed", drawAll);
addEventListener("popstate", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
