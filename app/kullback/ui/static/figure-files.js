// Files of figures: the numbers as CSV, in full, and the picture as PNG, in the colours of the page.

import { painted } from "./svg-paint.js";

const TITLE_HEIGHT = 28;
const KEPT = 60000; // milliseconds: a browser that is busy reads a file late
const SCALE = 2; // pixels of a picture for each of its units

const dataOf = (figure) => JSON.parse(figure.querySelector("script[type='application/json']").textContent);

function moment(seconds, isLocal) {
  return new Date(seconds * 1000).toISOString().replace(".000", "").slice(0, isLocal ? 19 : undefined);
}

// The columns of the figure's table, each with its head.
function columns(data) {
  const x = data.xNames ?? (data.time ? data.x.map((at) => moment(at, data.local)) : data.x);
  const series = data.series.flatMap(({ label, y, low, high }) => {
    const values = low === null || y.some((value) => value !== null) ? [[label, y]] : [];
    return low === null ? values : [...values, [`${label}, low`, low], [`${label}, high`, high]];
  });
  return [[data.xLabel, x], ...series, ...data.notes];
}

// A cell; a text that a spreadsheet would take for a formula is none.
function cell(value) {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value ?? "") && value !== "-inf" ? `'${value}` : value ?? "";
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv(figure) {
  const all = columns(dataOf(figure));
  const rows = all[0][1].map((_, at) => all.map(([, values]) => values[at]));
  return [all.map(([head]) => head), ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// The picture with its title above it.
function png(figure) {
  const chart = figure.querySelector(".plot canvas"), picture = chart ?? painted(figure.querySelector("svg.figure"), SCALE);
  const unit = chart ? devicePixelRatio : SCALE;
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  [canvas.width, canvas.height] = [picture.width, picture.height + TITLE_HEIGHT * unit];
  context.fillStyle = ink("--paper");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = ink("--ink");
  context.font = `600 ${14 * unit}px system-ui, sans-serif`;
  context.fillText(figure.querySelector("figcaption strong").textContent, 4 * unit, 19 * unit, canvas.width - 8 * unit);
  context.drawImage(picture, 0, TITLE_HEIGHT * unit);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

// Such as "ctr-log-loss-20261130T1000-20261130T2200.csv": whose, what, and of when.
function name(figure, kind) {
  const { time, x } = dataOf(figure);
  const page = decodeURIComponent(location.pathname.split("/").at(-1)) || "overview";
  const short = (seconds) => moment(seconds, true).replace(/[-:]/g, "").slice(0, 13);
  const times = time ? [short(x[0]), short(x.at(-1))] : [];
  return `${[page, figure.id, ...times].join("-").replace(/[^\p{L}\p{N}._-]+/gu, "_")}.${kind}`;
}

async function save(figure, kind) {
  const blob = kind === "csv" ? new Blob([csv(figure)], { type: "text/csv" }) : await png(figure);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name(figure, kind);
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
}

document.documentElement.classList.add("scripted");
document.addEventListener("click", ({ target }) => {
  const kind = target.dataset?.file;
  if (kind) save(target.closest("figure"), kind);
});
