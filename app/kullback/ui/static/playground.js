// The playground: a request is edited and sent, and its answer explained.

import { explained, plural, sentence } from "./playground-answer.js";
import { make, pictures, shown } from "./playground-pictures.js";
import { calls, check, find, fromTable, named, place, query, Unreadable } from "./playground-text.js";

const JSON_TYPE = "application/json";
const LARGEST_TABLE = 4 << 20;
const LINK = "#request=";
const LONGEST_LINK = 4000;
const LINE_HEIGHT = 1.5;

const at = (id) => document.getElementById(id);
const known = JSON.parse(at("known").textContent);
const form = at("form"), request = at("request"), example = request.defaultValue;
let file = null; // what is sent as it is: its name, type and bytes; then the text is its options
let turn = 0;

// A link to a place of the request, if it has one: `go` finds it when it is followed.
function linked(text, go) {
  if (!go) return make("span", {}, text);
  const link = make("a", { href: "#request" }, text);
  link.addEventListener("click", (event) => (event.preventDefault(), select(go())));
  return link;
}

// What is wrong, in words, with a link to each place.
function complain(title, detail, places = []) {
  const items = places.map(({ text, detail: why, go }) => make("li", {}, linked(text, go), why ? `: ${why}` : ""));
  const parts = [make("strong", {}, title), detail ? make("p", {}, detail) : "", items.length ? make("ul", {}, ...items) : ""];
  at("wrong").replaceChildren(...parts);
  at("wrong").hidden = false;
  at("said").textContent = "";
  at("answer").replaceChildren(make("p", { class: "quiet" }, "There is none: what is wrong stands with the request."));
  request.setAttribute("aria-invalid", "true");
}

function calm() {
  at("wrong").replaceChildren();
  at("wrong").hidden = true;
  request.removeAttribute("aria-invalid");
}

function select(found) {
  if (!found) return;
  const { line, column } = place(request.value, found.from);
  const size = parseFloat(getComputedStyle(request).fontSize);
  request.focus();
  request.setSelectionRange(found.from, found.to);
  request.scrollTop = (line - 4) * size * LINE_HEIGHT;
  request.scrollLeft = (column - 20) * size * 0.6;
}

const where = (offset) => {
  const { line, column } = place(request.value, offset);
  return `line ${line}, column ${column}`;
};

function unreadable(error) {
  const go = () => ({ from: error.at, to: error.at + 1 });
  complain("This is not JSON.", "", [{ text: where(error.at), detail: error.message, go }]);
}

// A refusal of the service: a problem document, or whatever stands between.
async function refused(answer) {
  const wait = answer.headers.get("retry-after");
  const again = wait ? ` Try again in ${wait} s.` : "";
  if (!answer.headers.get("content-type")?.startsWith("application/problem+json")) {
    complain("The service did not answer as expected.", `Its status was ${answer.status}.${again}`);
    return;
  }
  const problem = await answer.json();
  const places = problem.errors.map(({ pointer, detail }) => {
    const found = file ? null : find(request.value, pointer);
    const line = found?.exact ? ` (${where(found.from)})` : "";
    const name = named(pointer), isSaid = detail.startsWith(`${name} `);
    return { text: isSaid ? detail : name + line, detail: isSaid ? "" : detail, go: found && (() => find(request.value, pointer)) };
  });
  const more = problem.total_errors - places.length;
  if (more > 0) places.push({ text: `and ${more} more` });
  complain(`${problem.title}.`, places.length ? again.trim() : `${problem.detail}${again}`, places);
}

async function explain(answer, fields, mine, post) {
  const figures = await pictures(known.name, fields, answer, post);
  if (mine !== turn) return;
  calm();
  at("answer").replaceChildren(...explained(answer, fields, figures, (text, pointer) => linked(text, pointer && (() => find(request.value, pointer)))));
  at("said").replaceChildren(...sentence(answer));
}

async function another(name, fields) {
  const answer = await fetch(new URL(name, form.action), { method: "POST", headers: { "content-type": JSON_TYPE }, body: JSON.stringify(fields) });
  return answer.ok ? answer.json() : null;
}

async function score() {
  const mine = (turn += 1);
  try {
    check(request.value);
  } catch (error) {
    return unreadable(error);
  }
  if (file && !/^\s*\{/.test(request.value)) return complain("The options of a file are a JSON object.", "{} where there are none.");
  remember();
  at("said").textContent = "Scoring…";
  try {
    const { address, type } = aim();
    const answer = await fetch(address, { method: "POST", headers: { "content-type": type }, body: file ? file.bytes : request.value });
    if (mine !== turn) return undefined;
    return await (answer.ok ? explain(await answer.json(), file ? {} : JSON.parse(request.value), mine, another) : refused(answer));
  } catch (error) {
    if (mine !== turn) return undefined;
    if (!(error instanceof TypeError)) throw error;
    return complain("The service does not answer.", "It may have stopped, or the network is away. Nothing was lost: try again.");
  }
}

// Where the request goes, and as what.
function aim() {
  if (!file) return { address: form.action, type: JSON_TYPE };
  return { address: form.action + query(request.value, known.words), type: file.type };
}

function retell() {
  try {
    const { address, type } = aim();
    const { curl, python } = calls(address, type, request.value, file?.name);
    at("curl").textContent = curl;
    at("python").textContent = python;
  } catch {
    // options of a file that are not JSON yet: the calls stay as they were until they are
  }
}

// A short request stays in the address of the page, so that it can be sent to someone.
function remember() {
  const link = `${LINK}${encodeURIComponent(request.value)}`;
  const isKept = !file && request.value !== example && link.length <= LONGEST_LINK;
  history.replaceState(null, "", isKept ? link : location.pathname);
  at("link").hidden = !isKept;
}

function recall() {
  try {
    write(decodeURIComponent(location.hash.slice(LINK.length)));
  } catch {
    write(example);
    complain("The request in this address is damaged.", "Here is the example in its place.");
    return;
  }
  score();
}

function write(text, sent = null) {
  file = sent;
  request.value = text;
  request.rows = Math.min(Math.max(text.split("\n").length + 1, 6), 24);
  at("label").textContent = sent ? `Options that go with ${sent.name}` : "Request, as JSON";
  at("note").textContent = "";
  calm();
  retell();
}

// A file: a table becomes JSON here, Parquet and Arrow go as they are.
async function open(chosen) {
  const ending = chosen.name.match(/\.[^.]+$/)?.[0].toLowerCase() ?? "";
  if (known.types[ending]) {
    const bytes = await chosen.arrayBuffer();
    const head = new TextDecoder("latin1").decode(bytes.slice(0, 6));
    if (head === "ARROW1") throw new Unreadable("This is an Arrow file, and the service reads Arrow streams: write it as a stream, or as Parquet.");
    write("{}", { name: chosen.name, type: known.types[ending], bytes });
    at("note").textContent = `${chosen.name} goes as it is, ${shown(chosen.size)} bytes; options such as {"per_row": true} stand in the text.`;
    return score();
  }
  if (chosen.size > LARGEST_TABLE) throw new Unreadable("More than 4 MiB is too much text to edit here; Parquet goes as it is.");
  const text = await chosen.text();
  if (ending === ".json") write(text);
  else {
    const made = fromTable(text, known, file ? "" : request.value);
    write(made.text);
    at("note").textContent = `${plural(made.rows, "row")} of ${chosen.name}.${made.unused.length ? ` Not used: ${made.unused.join(", ")}.` : ""}`;
  }
  return score();
}

async function take(chosen) {
  if (!chosen) return;
  try {
    await open(chosen);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    complain(`${chosen.name} cannot be read.`, error.message);
  }
}

// Text that is dragged may go where it goes; a file would take the place of the page.
function holdsFile(event) {
  const isFile = event.dataTransfer.types.includes("Files");
  if (isFile) event.preventDefault();
  return isFile;
}

function listen() {
  form.addEventListener("submit", (event) => (event.preventDefault(), score()));
  request.addEventListener("input", retell);
  request.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  at("file").addEventListener("change", (event) => take(event.target.files[0]).then(() => (event.target.value = "")));
  at("again").addEventListener("click", begin);
  form.addEventListener("dragover", (event) => holdsFile(event) && form.classList.add("over"));
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => holdsFile(event) && (form.classList.remove("over"), take(event.dataTransfer.files[0])));
  for (const button of document.querySelectorAll("button[data-copy]")) button.addEventListener("click", () => copy(button));
  addEventListener("hashchange", () => location.hash.startsWith(LINK) && recall());
  form.querySelectorAll("button, input").forEach((part) => (part.disabled = false));
}

async function copy(button) {
  const text = at(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
    at("copied").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(text); // a page without https may not copy, but can select
    at("copied").textContent = "Selected: copy it with the keyboard.";
  }
}

// The example, with the answer that came with the page.
function begin() {
  write(example);
  remember();
  return explain(known.answer, JSON.parse(example), (turn += 1), async () => null);
}

listen();
if (location.hash.startsWith(LINK)) recall();
else begin();
