// One visit: a page in each theme and width, and what happened meanwhile.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { charts, order, pictures, tables, tabbable, twice } from "./inside.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const HEIGHT = 900;
const STOPS_IN_A_DATE = 8; // the year, the month, ...
const WAYS = [
  { theme: "light", width: 1200, isJudged: true },
  { theme: "dark", width: 1200, isJudged: false },
  { theme: "dark", width: 390, isJudged: true },
  { theme: "light", width: 390, isJudged: false },
];

export async function visit(browser, address, path) {
  const context = await browser.newContext({ viewport: { width: 1200, height: HEIGHT } });
  const page = await context.newPage();
  const heard = await listen(page, address);
  const answer = await page.goto(address + path, { waitUntil: "load" });
  await settled(page);
  const first = await page.evaluate(tables);
  const foreign = path.startsWith("/docs");
  const focus = foreign ? { there: [], reached: [] } : await tabs(page);
  const views = [];
  for (const way of WAYS) views.push(await view(page, foreign ? { ...way, isJudged: false } : way));
  const found = {
    status: answer.status(),
    title: await page.title(),
    text: await page.locator("body").innerText(),
    tables: first,
    pictures: await page.evaluate(pictures),
    twice: await page.evaluate(twice),
    ...focus,
    views,
    ...heard,
    failed: [...heard.failed], // not what is given up when the page is closed
    weights: Object.fromEntries(heard.weights),
  };
  await context.close();
  return found;
}

// The bytes of all that a page is made of, by their addresses.
export async function weigh(browser, address, path) {
  const page = await browser.newPage();
  const { weights } = await listen(page, address);
  await page.goto(address + path, { waitUntil: "networkidle" });
  return Object.fromEntries(weights);
}

export async function visitWithoutScripts(browser, address, path) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(address + path, { waitUntil: "load" });
  await page.evaluate(openAll);
  const found = await page.evaluate(() => ({
    tables: [...document.querySelectorAll("table:not(.u-legend)")].map((table) => table.checkVisibility()),
    text: document.body.innerText,
  }));
  await context.close();
  return found;
}

// What the page says, asks for and tries, from its first moment on.
async function listen(page, address) {
  const heard = { said: [], failed: [], elsewhere: [], dialogs: 0, weights: new Map() };
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) {
      heard.said.push({ text: message.text(), at: message.location().url });
    }
  });
  page.on("pageerror", (error) => heard.said.push({ text: String(error), at: page.url() }));
  page.on("dialog", (dialog) => {
    heard.dialogs += 1;
    dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${address}/`)) heard.elsewhere.push(request.url());
  });
  // Chromium gives up the empty body of a 304 that a script has asked for: that is no failure.
  const unchanged = new Set();
  page.on("requestfailed", (request) => unchanged.has(request) || heard.failed.push(request.url()));
  page.on("response", async (response) => {
    const url = response.url();
    if (response.status() === 304) unchanged.add(response.request());
    if (response.status() >= 400) heard.failed.push(url);
    if (response.status() === 200 && !heard.weights.has(url)) {
      heard.weights.set(url, 0);
      heard.weights.set(url, (await response.body().catch(() => "")).length);
    }
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  return heard;
}

async function settled(page) {
  const drawn = async () => {
    const script = document.querySelector("script[src$='charts.js']");
    return !script || (await import(script.src)).drawn.size >= document.querySelectorAll("figure.chart .plot").length;
  };
  await page.waitForFunction(drawn, null, { timeout: 5000 }).catch(() => {});
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

async function tabs(page) {
  const there = await page.evaluate(tabbable);
  const regions = await page.locator("[tabindex='0']").count();
  const inner = STOPS_IN_A_DATE * (await page.locator("input[type^='date']").count());
  for (let step = 0; step < there.length + regions + inner; step += 1) await page.keyboard.press("Tab");
  return { there, reached: await page.evaluate(order) };
}

async function view(page, { theme, width, isJudged }) {
  await page.emulateMedia({ colorScheme: theme });
  await page.setViewportSize({ width, height: HEIGHT });
  await settled(page);
  const closed = await page.evaluate(() => document.documentElement.scrollWidth);
  const drawn = await page.evaluate(charts);
  await page.evaluate(openAll);
  const opened = await page.evaluate(() => document.documentElement.scrollWidth);
  const violations = isJudged ? await judged(page) : [];
  return { theme, width, needed: Math.max(closed, opened), charts: drawn, violations };
}

function openAll() {
  document.querySelectorAll("details").forEach((part) => part.setAttribute("open", ""));
}

async function judged(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map((node) => `${id} (${help}): ${node.html.slice(0, 160)} | ${node.failureSummary.replaceAll("\n", " ")}`),
    );
  });
}
