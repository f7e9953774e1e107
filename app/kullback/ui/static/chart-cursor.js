// The cursor of charts over time: what it reads, where it goes by keys, and the time that is dragged over.

import { clockOf } from "./chart-axes.js";

const SHORTEST_DRAG = 8; // pixels: less is a click
const BEFORE = "kullback-before-zoom"; // where the pages are kept that were zoomed into

// The cells of a row in words: a time, and each value with its bounds in parentheses.
function words(heads, [time, ...cells]) {
  const parts = [];
  heads.slice(1).forEach((head, at) => {
    if (cells[at] === "—") return;
    if (head.endsWith(", high") && heads[at]?.endsWith(", low")) return;
    const isLow = head.endsWith(", low") && heads[at + 2]?.endsWith(", high");
    if (!isLow) parts.push(`${head} ${cells[at]}`);
    else if (heads[at] === head.slice(0, -5)) parts.push(`${parts.pop()} (${cells[at]} to ${cells[at + 1]})`);
    else parts.push(`${head.slice(0, -5)} ${cells[at]} to ${cells[at + 1]}`);
  });
  return [time.replace("T", " ").replace(/:00Z?$/, ""), ...parts].join(" · ");
}

// The values at the cursor are the cells of the figure's own table; without a cursor, the latest that there are.
export function read(figure, data, at) {
  const texts = (cells) => [...cells].map((cell) => cell.textContent);
  const rows = [...figure.querySelector("tbody").rows], isLatest = at === null || at === undefined;
  const row = isLatest ? rows.findLast(({ cells }) => texts(cells).slice(1).some((cell) => cell !== "—")) : rows[at];
  const [time, ...cells] = row ? texts(row.cells) : [""];
  const moment = time.endsWith("Z") ? clockOf(data, data.x[rows.indexOf(row)]).slice(0, 19) : time;
  const values = row ? words(texts(figure.querySelectorAll("thead th")), [moment, ...cells]) : "";
  figure.querySelector(".reading").textContent = row && isLatest ? `Latest: ${values}` : values;
}

// From the step in which a drag begins to the end of that in which it ends.
function dragged({ x }, from, to) {
  const step = x.length > 1 ? x.at(-1) - x.at(-2) : 3600;
  return [x.findLast((value) => value <= from) ?? x[0], x.find((value) => value >= to) ?? x.at(-1) + step];
}

function takesTimes() {
  return document.querySelector("#times [name='from']") !== null;
}

const kept = () => JSON.parse(sessionStorage.getItem(BEFORE) ?? "[]");
const keep = (addresses) => sessionStorage.setItem(BEFORE, JSON.stringify(addresses));
const written = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 19);

// The time that was dragged over, in the address: whoever has the link sees the same.
function zoom(chart, data) {
  const { left, width } = chart.select;
  if (width < SHORTEST_DRAG) return;
  const [from, to] = dragged(data, chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
  if (!takesTimes() || data.local) {
    chart.setScale("x", { min: from, max: to });
    chart.setSelect({ left: 0, width: 0 }, false);
    return;
  }
  const address = new URL(location.href);
  address.searchParams.delete("range");
  address.searchParams.set("from", written(from));
  address.searchParams.set("to", written(to));
  keep([...kept(), location.href]);
  location.assign(address);
}

// Back to what was there before, or where nothing was to what the page shows by itself.
function back(chart, data) {
  if (!takesTimes() || data.local) {
    chart.setScale("x", { min: data.x[0], max: data.x.at(-1) });
    return;
  }
  const before = kept(), last = before.pop();
  const address = new URL(last ?? location.href);
  if (address.pathname !== location.pathname || last === undefined) {
    address.href = location.href;
    ["from", "to"].forEach((name) => address.searchParams.delete(name));
  }
  keep(before);
  if (address.href !== location.href) location.assign(address);
}

export function cursor(data) {
  return {
    sync: { key: "time", filters: { pub: (kind) => kind === "mousemove" || kind === "mouseleave" } },
    drag: { x: true, y: false, setScale: false },
    bind: { dblclick: (drawn) => () => back(drawn, data) },
    points: { size: 7 },
  };
}

export function hooks(figure, data) {
  return {
    setCursor: [(chart) => read(figure, data, chart.cursor.left < 0 ? null : chart.cursor.idx)],
    setSelect: [(chart) => zoom(chart, data)],
  };
}

// Arrows move the cursor from step to step, of the chart that was drawn last in this place.
export function bindKeys(chart, place, data) {
  place.onkeydown = (event) => {
    const last = data.x.length - 1, at = chart.cursor.left < 0 ? null : chart.cursor.idx;
    const moves = { ArrowLeft: at === null ? last : Math.max(0, at - 1), ArrowRight: at === null ? 0 : Math.min(last, at + 1), Home: 0, End: last };
    if (!(event.key in moves) && event.key !== "Escape") return;
    event.preventDefault();
    place.parentElement.querySelector(".reading").setAttribute("aria-live", "polite");
    const left = event.key === "Escape" ? -10 : chart.valToPos(data.x[moves[event.key]], "x");
    chart.setCursor({ left, top: event.key === "Escape" ? -10 : chart.over.clientHeight / 2 });
  };
}
