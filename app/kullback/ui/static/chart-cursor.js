// The cursor of charts over time: what it reads, where it goes by keys, and what a drag does.

import { clockOf } from "./chart-axes.js";
import { back, zoom } from "./chart-zoom.js";

// The cells of a row in words: a time, and each value with its bounds in parentheses.
function words(heads, [time, ...cells]) {
  const parts = [];
  heads.slice(1).forEach((head, at) => {
    if (cells[at] === "—") return;
    if (head.endsWith(", high") && heads[at]?.endsWith(", low")) return;
    const isLow = head.endsWith(", low") && heads[at + 2]?.endsWith(", high");
    if (!isLow) parts.push(`${head} ${cells[at]}`);
    else if (cells[at] === cells[at + 1] && cells[at] === cells[at - 1]) return;
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

export function cursor(figure, data) {
  return {
    sync: { key: "time", filters: { pub: (kind) => kind === "mousemove" || kind === "mouseleave" } },
    drag: { x: true, y: false, setScale: false },
    bind: { dblclick: (drawn) => () => back(drawn, figure, data) },
    points: { size: 7 },
  };
}

export function hooks(figure, data) {
  return {
    setCursor: [(chart) => read(figure, data, chart.cursor.left < 0 ? null : chart.cursor.idx)],
    setSelect: [(chart) => zoom(chart, figure, data)],
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
