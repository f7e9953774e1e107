// An answer in words: what it says, what happened to the rows, and its details.

import { make, shown, table } from "./playground-pictures.js";

const MOST_ROWS = 200;
const MOST_ENTRIES = 12;
const WIDEST = 9;
const known = JSON.parse(document.getElementById("known").textContent);

const reason = (name) => known.reasons[name] ?? name?.replaceAll("_", " ") ?? "";
export const plural = (count, name) => `${shown(count)} ${name}${count === 1 ? "" : "s"}`;

function unit(answer, number) {
  if (answer.unit === "dimensionless" || answer.unit === "probability") return "";
  return ` ${number === "1" ? answer.unit.replace(/s$/, "") : answer.unit}`;
}

// The value, with its unit.
function headline(answer) {
  const number = { finite: shown(answer.value, answer.standard_error), infinite: INFINITE[answer.reason], undefined: "Undefined" }[answer.status];
  return number + (answer.status === "undefined" ? "" : unit(answer, number));
}

// What the value says, in words.
function said(answer) {
  const rows = `Over ${plural(answer.n, "row")}`;
  if (answer.status === "undefined") return `${rows}: ${reason(answer.reason)}.`;
  const { infinite } = answer.diagnostics;
  const lost = `${plural(infinite, "row")} gave no probability to what happened`;
  if (answer.status === "infinite") return `${rows}: ${infinite ? lost : reason(answer.reason)}. ${known.better}`;
  const sure = answer.standard_error === null ? "" : `, with a standard error of ${shown(answer.standard_error, answer.standard_error)}`;
  return `${rows}${sure}. ${known.better}`;
}

// The answer in one sentence, which is read aloud.
export function sentence(answer) {
  return [make("strong", { class: "number" }, headline(answer)), " ", make("span", {}, said(answer))];
}

// What happened to the rows; `link` makes a link to a row of the request.
function remarks(answer, fields, link) {
  const { infinite, infinite_rows, clipped, renormalized, max_sum_error } = answer.diagnostics;
  const list = [];
  if (clipped) list.push(make("li", {}, `${shown(clipped)} ${clipped === 1 ? "probability was" : "probabilities were"} clipped, as the convention ${answer.conventions.convention} does.`));
  if (renormalized) list.push(make("li", {}, `${plural(renormalized, "row")} divided by the sum, which was off 1 by up to ${shown(max_sum_error)}.`));
  if (infinite) {
    const field = ["y_true", "p", "logits"].find((name) => Array.isArray(fields[name]) && fields[name].length === answer.n);
    const links = infinite_rows.flatMap((row) => [", ", link(String(row), field && `/${field}/${row}`)]);
    list.push(make("li", {}, `${plural(infinite, "row")} cost infinity; counted from 0: `, ...links.slice(1), infinite > infinite_rows.length ? ", …" : "", "."));
  }
  return list.length ? [make("ul", {}, ...list)] : [make("p", { class: "quiet" }, "No row was clipped, renormalized or infinite.")];
}

const isEstimate = (value) => value !== null && typeof value === "object" && "value" in value && "status" in value;
const isList = (value) => Array.isArray(value) && value.some((one) => one !== null && typeof one === "object" && !Array.isArray(one));

const INFINITE = { positive_infinity: "∞", negative_infinity: "−∞" };
const absent = (why) => INFINITE[why] ?? `— (${reason(why)})`;
const shape = (value) => (Array.isArray(value) ? [value.length, ...shape(value.find(Array.isArray))] : []);

function cell(value, why) {
  if (isEstimate(value)) return value.status === "finite" ? shown(value.value, value.standard_error) + (value.standard_error ? ` ± ${shown(value.standard_error, value.standard_error)}` : "") : absent(value.reason);
  if (value === null && why) return absent(why);
  if (!Array.isArray(value)) return typeof value === "boolean" ? (value ? "yes" : "no") : shown(value);
  if (value.some(Array.isArray)) return `${shape(value).join(" × ")} numbers, below as they came`;
  const rest = value.length > MOST_ENTRIES ? `, … (${value.length} in all)` : "";
  return value.slice(0, MOST_ENTRIES).map((one) => cell(one)).join(", ") + rest;
}

// Pairs of a name and what stands there; lists of objects are kept for tables of their own.
function leaves(value, name, reasons, lists) {
  if (isList(value)) return void lists?.push([name, value]) ?? [];
  if (value !== null && typeof value === "object" && !Array.isArray(value) && !isEstimate(value)) {
    return Object.entries(value).filter(([key]) => key !== "reasons").flatMap(([key, part]) => leaves(part, name ? `${name}.${key}` : key, reasons, lists));
  }
  return [[name, cell(value, reasons?.[name])]];
}

function details(answer) {
  const lists = [], reasons = answer.details.reasons ?? {};
  const rows = leaves(answer.details, "", reasons, lists);
  for (const name of ["per_row", "gradient"]) if (answer[name] !== null) rows.push(...leaves(answer[name], name, reasons, lists));
  const tables = rows.length ? [table(["detail", "value"], rows, "Details")] : [];
  for (const [name, list] of lists) {
    const items = list.slice(0, MOST_ROWS).map((one) => leaves(one, "", null, null));
    const heads = items[0].map(([head]) => head);
    const cells = heads.map((head, column) => [head, ...items.map((item) => item[column]?.[1] ?? null)]);
    const wide = heads.length > WIDEST;
    const shape = wide ? [[heads[0], ...cells[0].slice(1)], cells.slice(1)] : [heads, items.map((item) => item.map(([, value]) => value))];
    tables.push(make("h3", {}, name + (list.length > MOST_ROWS ? `, the first ${MOST_ROWS} of ${list.length}` : "")), table(...shape, name));
  }
  return tables;
}

function facts(answer) {
  const pairs = [["weight", answer.weight], ...Object.entries(answer.conventions)];
  const list = pairs.filter(([, value]) => value !== null).map(([name, value]) => make("div", {}, make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, cell(value))));
  return make("dl", { class: "facts" }, ...list);
}

const verdicts = (answer) => (answer.details.comparisons ?? []).map((one) => make("p", { class: `verdict ${known.hues[one.verdict] ?? ""}` }, make("strong", {}, make("bdi", {}, one.arm), `: ${one.verdict.replaceAll("_", " ")}. `), one.reason ?? ""));

// The answer as elements, around its figures.
export function explained(answer, fields, figures, link) {
  const raw = make("pre", { tabindex: "0", class: "long" }, make("code", {}, JSON.stringify(answer, null, 2)));
  return [
    ...verdicts(answer), facts(answer), ...remarks(answer, fields, link), ...figures,
    make("h3", {}, "Details"), ...details(answer), make("details", {}, make("summary", {}, "The answer as it came"), raw),
  ];
}
