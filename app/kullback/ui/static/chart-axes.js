// Axes of charts over time: the range and the ticks of y as the service has them, hours and days of x.

import { ink } from "./chart-canvas.js";
import { zoomed } from "./chart-zoom.js";
import { clock, isLocal } from "./times.js";

const DAY = 86400;
const DIGIT = 7; // pixels of a digit, about
const HALF_DATE = 36; // pixels of half of a date, which stands in the middle beneath the first hour
const SIDE = 0.015; // of a chart, left free at both ends: a dot there is seen whole
const FONT = "12px system-ui, sans-serif";

function axis(label, size) {
  const grid = { stroke: ink("--grid"), width: 1 };
  return { label, stroke: ink("--quiet"), grid, ticks: grid, size, labelSize: label ? 22 : 0, font: FONT, labelFont: FONT };
}

// The date that a chart counts hours and days by; x of a zone of its own is what its clocks show.
export function dateOf(data, seconds) {
  const date = new Date(seconds * 1000);
  return isLocal() && !data.local ? date : uPlot.tzDate(date, "Etc/UTC");
}

export function clockOf(data, seconds) {
  const date = new Date(seconds * 1000);
  return data.local ? date.toISOString() : clock(date);
}

const zoned = (label, data) => (isLocal() && !data.local ? label?.replace("(UTC)", "(local)") : label);

// Hours with the day beneath where it changes, or days with the year.
function timeTicks(label, data) {
  const words = (moment, before, step) => {
    const [day, hour] = [moment.slice(0, 10), moment.slice(11, 16)];
    if (step < DAY) return day === before ? hour : `${hour}\n${before === "" ? day : day.slice(5)}`;
    return day.slice(0, 4) === before.slice(0, 4) ? day.slice(5) : `${day.slice(5)}\n${day.slice(0, 4)}`;
  };
  return {
    ...axis(zoned(label, data), 58),
    space: 60,
    values: (_chart, ticks, _at, _space, step) => {
      const moments = ticks.map((tick) => clockOf(data, tick));
      return moments.map((moment, at) => words(moment, at === 0 ? "" : moments[at - 1].slice(0, 10), step));
    },
  };
}

function valueTicks(ticks) {
  const words = ticks.map(([, word]) => word.replace("-", "−"));
  const size = Math.max(HALF_DATE, 18 + DIGIT * Math.max(...words.map((word) => word.length)));
  return { ...axis(undefined, size), splits: () => ticks.map(([value]) => value), filter: (_, all) => all, values: () => words };
}

// Bars and points at both ends are seen whole; around a single one there is half an hour. What
// happened within the last step is in view too.
function timeRange({ x, series, timeMarks, local }) {
  const ends = zoomed({ local });
  if (ends) return () => ends;
  const reach = (end) => Math.max(end, ...timeMarks.map((mark) => mark.x));
  const has = (style) => series.some((one) => one.style === style);
  if (x.length === 1) return () => [x[0] - 1800, reach(x[0] + 1800)];
  const half = has("bars") ? Math.min(...x.slice(1).map((value, at) => value - x[at])) / 2 : 0;
  const pad = has("points") ? 0.03 * (x.at(-1) - x[0]) : Math.max(half, SIDE * (x.at(-1) - x[0]));
  return (_, low, high) => [low - pad, reach(high + pad)];
}

export function scales(data) {
  return { x: { time: true, range: timeRange(data) }, y: { range: () => data.yRange } };
}

export function axes(data, isSmall) {
  return [timeTicks(isSmall ? undefined : data.xLabel, data), valueTicks(data.yTicks)];
}
