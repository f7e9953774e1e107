// The text of a request: positions in it, tables as JSON, and calls to copy.

const BLANK = /[ \t\n\r]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b/y;
const DEEPEST = 200;
const IN_A_LINE = 20;
const LONG = 20_000;

// What cannot be read; `at` is where in the text, if that is known.
export class Unreadable extends Error {
  constructor(message, at = null) {
    super(message);
    this.at = at;
  }
}

// Where the value of these keys and indices stands in JSON, or what is nearest around it.
function scan(text, path) {
  let at = 0, depth = 0, found = null;
  const refuse = (what) => { throw new Unreadable(what, at); };
  const take = (pattern) => {
    pattern.lastIndex = at;
    const part = pattern.exec(text);
    if (part) at = pattern.lastIndex;
    return part && part[0];
  };
  const next = () => (take(BLANK), text[at]);

  function key() {
    next();
    const name = take(STRING) ?? refuse("a name in double quotes is expected here");
    if (next() !== ":") refuse("a colon is expected here, after the name");
    at += 1;
    return JSON.parse(name);
  }

  function entries(end, rest) {
    at += 1;
    if (next() === end) return void (at += 1);
    for (let index = 0; ; index += 1) {
      const step = end === "}" ? key() : String(index);
      value(rest?.[0] === step ? rest.slice(1) : null);
      const mark = next();
      if (mark !== "," && mark !== end) refuse(`a comma or ${end} is expected here`);
      at += 1;
      if (mark === end) return;
    }
  }

  function value(rest) {
    const first = next(), from = at;
    if (first === undefined) refuse("the text ends where a value is expected");
    if ((depth += 1) > DEEPEST) refuse("this is nested too deeply");
    if (first === "{" || first === "[") entries(first === "{" ? "}" : "]", rest);
    else if (!take(STRING) && !take(PLAIN)) refuse(`a value is expected here, not ${text.slice(at).match(/^["']|^[^\s,:\]}]{1,12}|^./su)[0]}`);
    depth -= 1;
    if (rest) found ??= { from, to: at, exact: rest.length === 0 };
  }

  value(path);
  if (next() !== undefined) refuse("the text goes on after its end");
  return found;
}

// Refuse what is not JSON, and say where.
export function check(text) {
  scan(text, []);
}

// Where a JSON Pointer points to in the text; null where the text is not JSON.
export function find(text, pointer) {
  const steps = pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  try {
    const place = scan(text, steps);
    return place.exact ? place : { ...place, to: place.from + 1 };
  } catch {
    return null;
  }
}

export function place(text, at) {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1).length + 1 };
}

// A JSON Pointer as people write places: y_proba[3].
export function named(pointer) {
  const [first, ...rest] = pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return (first ?? "the request") + rest.map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`)).join("");
}

// The lines of a CSV text, each with its cells; commas, semicolons or tabs are between them.
function lines(text) {
  const head = text.slice(0, text.search(/[\r\n]|$/));
  const [mark] = [",", ";", "\t"].sort((a, b) => head.split(b).length - head.split(a).length);
  const cell = new RegExp(`[ ]*(?:"((?:[^"]|"")*)"[ ]*|([^"${mark}\\r\\n][^${mark}\\r\\n]*)?)(${mark}|\\r\\n|\\n|\\r|$)`, "y");
  const rows = [];
  let row = [];
  while (cell.lastIndex < text.length || row.length) {
    const at = cell.lastIndex, found = cell.exec(text);
    if (!found) throw new Unreadable(`Line ${place(text, at).line} of the file: a quote does not end, or stands within a cell.`);
    row.push(found[1] === undefined ? (found[2] ?? "").trim() : found[1].replaceAll('""', '"'));
    if (found[3] === mark) continue;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}

const numeral = (cell) => {
  const plain = cell.replace(/^\+/, "").replace(/^(-?)\./, "$10.").replace(/\.(?=$|[eE])/, "");
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(plain) ? plain : null;
};
const infinite = (cell) => (/^-inf(inity)?$/i.test(cell) ? '"-Infinity"' : null);
const flag = (cell) => (/^(true|false|0|1)$/i.test(cell) ? cell.toLowerCase() : null);

// The entries of one column, as JSON; figures are kept as they stand, to the last digit.
function column(head, kind, cells) {
  const write = { number: numeral, logit: (cell) => numeral(cell) ?? infinite(cell), flag }[kind];
  const empty = cells.indexOf("");
  if (empty >= 0) throw new Unreadable(`Row ${empty + 1} of the file has nothing under ${head}.`);
  if (write) {
    const written = cells.map(write), wrong = written.indexOf(null);
    if (wrong >= 0) throw new Unreadable(`Row ${wrong + 1} of the file has ${cells[wrong]} under ${head}, which is no ${kind === "flag" ? "0 or 1" : "number"}.`);
    return written;
  }
  const numbers = cells.map(kind === "label" ? numeral : (cell) => (/^-?(0|[1-9]\d*)$/.test(cell) ? cell : null));
  return numbers.includes(null) ? cells.map((cell) => JSON.stringify(cell)) : numbers;
}

const broken = (parts, count) => parts.reduce((text, part, at) => text + (at === 0 ? "" : at % count === 0 ? ",\n    " : ", ") + part, "");

// The numbers of columns that are named by 0 to k − 1 or 1 to k behind one text; null where they are not.
function columnNumbers(keys) {
  const named = keys.map((key) => /^(.*?)(\d{1,9})$/s.exec(key ?? ""));
  if (named.includes(null) || new Set(named.map(([, text]) => text)).size > 1) return null;
  const numbers = named.map(([, , digits]) => Number(digits)), first = Math.min(...numbers);
  return first <= 1 && new Set(numbers).size === numbers.length && Math.max(...numbers) - first < numbers.length ? numbers : null;
}

// The columns of rows in the order of their numbers, or of the classes where they are named by those.
function ordered(parts, classes) {
  const keys = parts.map((part) => part.key);
  const isOfClasses = keys.length === classes.length && keys.every((key) => classes.includes(key));
  const places = columnNumbers(keys) ?? (isOfClasses ? keys.map((key) => classes.indexOf(key)) : null);
  return places ? parts.map((part, at) => [places[at], part]).sort(([a], [b]) => a - b).map(([, part]) => part) : parts;
}

// One field, of the columns of the file that are named for it.
function field(name, known, parts) {
  const single = parts.length === 1 && parts[0].key === null;
  if (!single && parts.some((part) => part.key === null)) throw new Unreadable(`Two columns of the file are ${name}.`);
  if (single) return `[${broken(parts[0].entries, IN_A_LINE)}]`;
  if (known.keys) return `{\n    ${parts.map((part) => `${JSON.stringify(part.key)}: [${broken(part.entries, IN_A_LINE)}]`).join(",\n    ")}\n  }`;
  if (known.axes < 2) throw new Unreadable(`Only one column of the file may be ${name}.`);
  const rows = parts[0].entries.map((_, row) => `[${parts.map((part) => part.entries[row]).join(", ")}]`);
  return `[\n    ${broken(rows, 1)}\n  ]`;
}

function asked(text) {
  try {
    return Object.entries(JSON.parse(text)).filter(([, value]) => value === null || typeof value !== "object");
  } catch {
    return [];
  }
}

// The request that a CSV text is, by the names of its columns; the options of the text before stay.
export function fromTable(csv, known, before) {
  const [heads, ...rows] = lines(csv.replace(/^\ufeff/, ""));
  if (!rows.length) throw new Unreadable("The file needs a line of names, and a line for each row.");
  const odd = rows.findIndex((row) => row.length !== heads.length);
  if (odd >= 0) throw new Unreadable(`Row ${odd + 1} of the file has ${rows[odd].length} cells, where there are ${heads.length} names.`);
  const fields = new Map(), unused = [];
  heads.forEach((head, at) => {
    const [name, ...key] = head.split(".");
    const taken = Object.keys(known.columns).find((one) => one === name.trim().toLowerCase());
    if (!taken) return void unused.push(head);
    const entries = column(head, known.columns[taken].kind, rows.map((row) => row[at]));
    fields.set(taken, [...(fields.get(taken) ?? []), { key: key.length ? key.join(".") : null, entries }]);
  });
  if (!fields.size) throw new Unreadable(`No column of the file has the name of a field. The fields are ${Object.keys(known.columns).join(", ")}.`);
  const classes = (fields.get("y_proba") ?? []).map((part) => part.key);
  const written = [...fields].map(([name, parts]) => {
    const inOrder = known.columns[name].keys ? parts : ordered(parts, classes);
    return `${JSON.stringify(name)}: ${field(name, known.columns[name], inOrder)}`;
  });
  if (known.labels && classes.length > 1 && !columnNumbers(classes)) {
    written.push(`"labels": ${JSON.stringify(classes)}`);
  }
  const kept = asked(before).filter(([name]) => !fields.has(name)).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return { text: `{\n  ${[...written, ...kept].join(",\n  ")}\n}`, unused, rows: rows.length };
}

// The options that go with a file, as the query of its address.
export function query(text, words) {
  const pairs = Object.entries(JSON.parse(text)).map(([name, value]) => [name, words.includes(name) ? String(value) : JSON.stringify(value)]);
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
}

const shell = (text) => (/[^\w@%+=:,./-]/.test(text) ? `'${text.replaceAll("'", `'"'"'`)}'` : text);

function literal(text) {
  const words = { true: "True", false: "False", null: "None" };
  return text.replace(/"(?:[^"\\\n]|\\.)*"|\b(?:true|false|null)\b/g, (token) => {
    if (token in words) return words[token];
    try {
      return JSON.stringify(JSON.parse(token)); // an escape may mean something else in Python
    } catch {
      return token;
    }
  });
}

// The same request for a terminal and for Python; `file` is what is sent as it is, if anything.
export function calls(address, type, text, file) {
  const read = file ?? (text.length > LONG ? "request.json" : null);
  const body = read ? `--data-binary ${shell(`@${read}`)}` : `-d ${shell(text)}`;
  const curl = `curl ${shell(address)} \\\n  -H 'Content-Type: ${type}' \\\n  ${body}`;
  const url = JSON.stringify(address);
  const content = `content = Path(${JSON.stringify(read)}).read_bytes()\nheaders = {"Content-Type": ${JSON.stringify(type)}}\nurl = ${url}\nanswer = httpx.post(url, content=content, headers=headers)`;
  const request = `request = ${literal(text)}\nurl = ${url}\nanswer = httpx.post(url, json=request)`;
  const python = `${read ? "from pathlib import Path\n\n" : ""}import httpx\n\n${read ? content : request}\nanswer.raise_for_status()\nprint(answer.json()["value"])`;
  return { curl, python };
}
