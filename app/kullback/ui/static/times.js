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
  if (isLocal()) keep();
}

all();
setInterval(show, EVERY);
document.addEventListener("renewed", all);
