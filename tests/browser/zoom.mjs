// A zoom in somebody's hands, and pages with many marks: node zoom.mjs ADDRESS MONITOR EXPERIMENT

import { open } from "./browser.mjs";

const [address, monitor, experiment] = process.argv.slice(2);
const browser = await open();

async function drag(page, id) {
  const over = page.locator(`#${id} .u-over`);
  await over.scrollIntoViewIfNeeded();
  const box = await over.boundingBox();
  const at = (part) => [box.x + part * box.width, box.y + box.height / 2];
  await page.mouse.move(...at(0.4));
  await page.mouse.down();
  await page.mouse.move(...at(0.6), { steps: 3 });
  await page.mouse.move(...at(0.8), { steps: 3 });
  await page.mouse.up();
}

const top = (page, id) => page.locator(`#${id}`).evaluate((figure) => figure.getBoundingClientRect().top);
const ranges = (page) =>
  page.evaluate(async () => {
    const { drawn } = await import(document.querySelector("script[src$='charts.js']").src);
    return Object.fromEntries([...drawn].map(([id, { chart }]) => [id, [chart.scales.x.min, chart.scales.x.max]]));
  });

async function ofMonitor() {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  await page.goto(address + monitor, { waitUntil: "networkidle" });
  const reset = page.locator(".zooms a").last(), before = page.url();
  const hidden = !(await reset.isVisible()), hint = await page.locator(".zooms").last().isVisible();
  await Promise.all([page.waitForURL((url) => url.href !== before), drag(page, "calibration-ratio")]);
  await page.waitForLoadState("networkidle");
  const zoomed = { top: await top(page, "calibration-ratio"), url: page.url() };
  await Promise.all([page.waitForURL((url) => url.search === new URL(before).search), reset.click()]);
  await page.waitForLoadState("networkidle");
  return { before, hidden, hint, zoomed, after: { url: page.url(), scroll: await page.evaluate(() => scrollY) } };
}

async function ofExperiment() {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  await page.goto(address + experiment, { waitUntil: "networkidle" });
  const all = await ranges(page), before = page.url();
  await drag(page, "effect");
  const zoomed = { url: page.url(), ranges: await ranges(page), scroll: await page.evaluate(() => scrollY) };
  await page.evaluate(() => document.dispatchEvent(new Event("renewed")));
  const renewed = await ranges(page);
  await page.goto(zoomed.url, { waitUntil: "networkidle" });
  const opened = await ranges(page);
  await page.locator(".zooms a").click();
  return { before, all, zoomed, renewed, opened, reset: { url: page.url(), ranges: await ranges(page) } };
}

// How wide a phone's page is at each moment of a load, and what of its marks can be read.
async function onPhone() {
  const page = await browser.newPage({ viewport: { width: 390, height: 900 } });
  await page.addInitScript(() => {
    window.__widest = 0;
    const look = () => {
      window.__widest = Math.max(window.__widest, document.documentElement?.scrollWidth ?? 0);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto(address + monitor, { waitUntil: "networkidle" });
  const boxes = await page.locator("#log-loss .time-mark.roomy span").evaluateAll((words) => words.map((each) => each.getBoundingClientRect()).map(({ left, right, bottom }) => ({ left, right, bottom })));
  const { y: plot } = await page.locator("#log-loss .u-over").boundingBox();
  await page.locator("details").evaluateAll((parts) => parts.forEach((part) => part.setAttribute("open", "")));
  const rows = await page.locator("#annotations ~ table.cards tbody tr").evaluateAll((all) => all.map((row) => row.cells[1].textContent));
  return { widest: await page.evaluate(() => Math.max(window.__widest, document.documentElement.scrollWidth)), boxes, plot, rows };
}

// What becomes of the file of a figure: whether its link is part of the page, and whether it is still there later.
async function file() {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  await page.addInitScript(() => {
    [window.__links, window.__revoked] = [[], []];
    URL.revokeObjectURL = (href) => window.__revoked.push(href);
    const later = window.setTimeout;
    window.setTimeout = (work, rest, ...more) => later(work, rest === 5000 ? rest : rest / 100, ...more); // a slow browser: all but polls comes early
    HTMLAnchorElement.prototype.click = function () {
      window.__links.push([this.isConnected, this.href]);
    };
  });
  await page.goto(address + monitor, { waitUntil: "networkidle" });
  await page.locator("#log-loss-csv").click();
  await page.waitForTimeout(100); // ten seconds of that browser
  return page.evaluate(() => ({ isConnected: window.__links[0][0], isThere: !window.__revoked.includes(window.__links[0][1]) }));
}

async function withoutScripts() {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(address + monitor);
  const count = (selector) => page.locator(selector).count();
  return { figures: await count("figure.chart"), pictures: await count("figure.chart svg.figure:visible"), boxes: await count("figure.chart .plot:visible"), hints: await count(".zooms:visible") };
}

try {
  console.log(JSON.stringify({ monitor: await ofMonitor(), experiment: await ofExperiment(), phone: await onPhone(), file: await file(), plain: await withoutScripts() }));
} finally {
  await browser.close();
}
