// Times of a page: in words that stay right, in UTC or as the address asks (`tz=local`) in local time.

const MINUTE = 60;
const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600]];
const LEAST = 1.5;
const EVERY = 20000;

export function relative(seconds, now) {
  const span = Math.abs(now - seconds);
  const [unit, size] = UNITS.find(([, size]) => span >= LEAST * size) ?? ["minute", MINUTE];
  const count = Math.floor(span / size + 0.5);
  if (!count) return "just now";
  const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return seconds <= now ? `${words} ago` : `in ${words}`;
}

const two = (number) => String(Math.abs(number)).padStart(2, "0");

function inUtc(date) {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

// What clocks show here, as though they hung in UTC: "2026-11-30T20:00:00.000Z" at 19:00 UTC in Berlin.
function hereAsUtc(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString();
}

function inLocal(date) {
  const ahead = -date.getTimezoneOffset();
  const hours = Math.trunc(Math.abs(ahead) / 60);
  return `${hereAsUtc(date).slice(0, 16).replace("T", " ")} ${ahead < 0 ? "−" : "+"}${two(hours)}:${two(ahead % 60)}`;
}

// The same as a sentence has it: "30 Nov 14:00 −05:00", the year if another than now.
function inWords(date) {
  const [day, time, zone] = inLocal(date).split(" ");
  const [year, month, number] = day.split("-");
  const name = new Date(`${day}T00:00Z`).toLocaleString("en-GB", { month: "short", timeZone: "UTC" }).slice(0, 3);
  const past = Number(year) === new Date().getFullYear() ? "" : ` ${year}`;
  return `${Number(number)} ${name}${past} ${time} ${zone}`;
}

export function isLocal() {
  return new URLSearchParams(location.search).get("tz") === "local";
}

// What clocks show, of UTC or as the address asks of here.
export function clock(date) {
  return isLocal() ? hereAsUtc(date) : date.toISOString();
}

function show() {
  const absolute = isLocal() ? inLocal : inUtc;
  for (const element of document.querySelectorAll("time[datetime]")) {
    const date = new Date(element.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    if (element.matches(".said")) {
      if (isLocal()) element.textContent = inWords(date);
      continue;
    }
    const words = element.title ? relative(date.getTime() / 1000, Date.now() / 1000) : absolute(date);
    if (element.title && element.title !== absolute(date)) element.title = absolute(date);
    if (element.textContent !== words) element.textContent = words;
  }
}

const NOT_PAGES = /^(v1|static|docs|openapi\.json)(\/|$)/; // which know no zone, or refuse one

// Links to pages of this service keep the choice, and so do forms that are sent by GET.
function keep() {
  const root = new URL(document.querySelector("a.brand").href);
  for (const link of document.querySelectorAll("a[href]:not([data-tz])")) {
    const to = new URL(link.href);
    if (to.origin !== root.origin || !to.pathname.startsWith(root.pathname) || to.searchParams.has("tz")) continue;
    if (link.getAttribute("href").startsWith("#") || NOT_PAGES.test(to.pathname.slice(root.pathname.length))) continue;
    to.searchParams.set("tz", "local");
    link.href = to.href;
  }
  for (const form of document.querySelectorAll("form[method='get']:not(:has([name='tz']))")) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "tz", value: "local" }));
  }
}

const WITHOUT_ZONE = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?$/;

// Fields of times show what clocks show here; what is sent is in UTC, as addresses are.
function choose() {
  for (const form of document.querySelectorAll("form.pickers")) {
    for (const field of form.querySelectorAll("input[placeholder^='20']")) {
      field.labels[0].firstChild.data = field.labels[0].firstChild.data.replace("UTC", "local time");
      if (field.value !== field.defaultValue || !WITHOUT_ZONE.test(field.value)) continue;
      field.value = hereAsUtc(new Date(`${field.value}Z`)).slice(0, 16);
    }
    form.addEventListener("formdata", ({ formData }) => {
      for (const [name, value] of [...formData]) {
        if (!["from", "to"].includes(name) || !WITHOUT_ZONE.test(value)) continue;
        const date = new Date(value.replace(" ", "T"));
        if (!Number.isNaN(date.getTime())) formData.set(name, date.toISOString().slice(0, 16));
      }
    });
  }
}

function offer() {
  const link = document.getElementById("tz");
  if (!link) return;
  const to = new URL(location.href);
  if (isLocal()) to.searchParams.delete("tz");
  else to.searchParams.set("tz", "local");
  link.href = to.href;
  link.textContent = isLocal() ? "Show times in UTC" : "Show times in local time";
  link.hidden = !document.querySelector("time[datetime]");
}

function all() {
  show();
  offer();
  if (isLocal()) {
    keep();
    choose();
  }
}

all();
setInterval(show, EVERY);
document.addEventListener("renewed", all);
