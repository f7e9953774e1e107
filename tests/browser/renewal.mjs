// What a page keeps when it is renewed: what is open, and what is being typed.
// node renewal.mjs ADDRESS PATH... tells of each page which of its parts closed, and of the overview its search.

import { open } from "./browser.mjs";

const [address, ...paths] = process.argv.slice(2);
const browser = await open();

// A page that polls at once, and finds once that there is something new.
async function opened(path, before = async () => {}) {
  const page = await browser.newPage();
  await page.addInitScript(() => {
    const later = window.setTimeout;
    window.setTimeout = (work, rest, ...more) => later(work, rest === 5000 ? 50 : rest, ...more);
    document.addEventListener("renewed", () => (window.__renewals = (window.__renewals ?? 0) + 1));
  });
  let isNews = false, count = 0;
  await page.route((url) => url.href.startsWith(address + path.split("?")[0]), async (route) => {
    const request = route.request(), tag = request.headers()["if-none-match"];
    if (request.resourceType() !== "fetch") return route.continue();
    if (tag && !isNews) return route.fulfill({ status: 304 });
    if (tag) isNews = false;
    const { "if-none-match": _, ...headers } = request.headers();
    const answer = await route.fetch({ headers });
    if (tag) await before(page);
    return route.fulfill({ response: answer, headers: { ...answer.headers(), etag: `"${(count += 1)}"` } });
  });
  await page.goto(address + path, { waitUntil: "load" });
  return [page, () => (isNews = true)];
}

async function closed(path) {
  const [page, news] = await opened(path);
  const states = () => page.locator("main details").evaluateAll((parts) => parts.map((part) => [part.querySelector("summary").textContent.trim(), part.open]));
  await page.locator("main details").evaluateAll((parts) => parts.forEach((part, at) => (part.open = at !== 0)));
  const before = await states();
  news();
  await page.waitForFunction(() => window.__renewals > 0);
  const after = await states();
  await page.close();
  return { count: before.length, other: after.filter((state, at) => String(state) !== String(before[at])) };
}

async function typed() {
  const words = "hostile";
  const before = (page) => page.locator("#q").pressSequentially(words);
  const [page, news] = await opened("/?tz=local", before);
  const rows = page.locator("#rows table tbody th a:first-child"), many = await rows.count();
  news();
  await page.waitForFunction((count) => document.querySelectorAll("#rows tbody th a:first-child").length < count, many);
  await page.waitForTimeout(500);
  return {
    field: await page.locator("#q").inputValue(),
    address: page.url(),
    links: await rows.evaluateAll((links) => links.map((link) => link.search)),
  };
}

try {
  const seen = {};
  for (const path of paths) seen[path] = await closed(path);
  console.log(JSON.stringify({ closed: seen, typed: await typed() }));
} finally {
  await browser.close();
}
