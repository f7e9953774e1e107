// What happened, above a chart over time: beside its line as far as there is room, and else where a pointer is on it.

import { clockOf } from "./chart-axes.js";

export const MARKS_HEIGHT = 20; // pixels above a chart, so that no words lie on lines
const GAP = 8; // pixels between a line and its words, and between words
const MOST = 224; // pixels of words

// Where words may stand beside a line: right of it, or else left.
function room(left, size, width, taken) {
  const places = [[left, left + size + GAP], [left - size - GAP, left]];
  return places.find(([start, end]) => start >= 0 && end <= width && taken.every(([from, to]) => end <= from || start >= to));
}

// The latest first, since there may not be room for all.
export function placeMarks(chart, data) {
  chart.over.querySelectorAll(".time-mark").forEach((mark) => mark.remove());
  const width = chart.over.clientWidth, taken = [];
  const places = data.timeMarks.map((mark) => ({ ...mark, left: chart.valToPos(mark.x, "x") })).filter(({ left }) => left >= 0 && left <= width);
  places.sort((one, other) => other.left - one.left);
  for (const { x, text, left } of places) {
    const mark = document.createElement("span"), words = document.createElement("span");
    mark.className = "time-mark";
    mark.style.left = `${left - 5}px`;
    words.textContent = `${clockOf(data, x).slice(11, 16)} ${text}`;
    words.style.maxWidth = `${Math.min(MOST, Math.max(left, width - left) - 2 * GAP)}px`;
    mark.append(words);
    chart.over.append(mark);
    const found = room(left, words.offsetWidth, width, taken);
    if (found) taken.push(found);
    mark.classList.toggle("roomy", found !== undefined);
    mark.classList.toggle("left", found ? found[0] < left : left > width / 2);
  }
}
