// The frame of pages: times in local time and kept there, the picker in sight, the viewer in dark, problems judged.
// node frame.mjs ADDRESS

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { open } from "./browser.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const [address] = process.argv.slice(2);
const browser = await open();

async function opened(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  const page = await context.newPage();
  await page.goto(address + path, { waitUntil: "networkidle" });
  return page;
}

const times = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("main time[datetime]:not(.said)")].map((time) => [time.dateTime, time.title, time.textContent]),
  );

async function zones() {
  const india = { timezoneId: "Asia/Kolkata" };
  const page = await opened("/monitors/clicks", india);
  const utc = await times(page);
  await page.locator("#tz").click();
  await page.waitForURL(/tz=local/);
  await page.waitForLoadState("networkidle");
  const local = await times(page);
  await page.getByRole("link", { name: "6 h", exact: true }).click();
  await page.waitForURL(/range=6h/);
  const kept = page.url();
  await page.getByRole("link", { name: "Overview" }).first().click();
  await page.waitForURL(/\/\?tz=local/);
  await page.goBack({ waitUntil: "networkidle" });
  const files = await page.locator("main a[href*='/v1/']").evaluateAll((links) => Promise.all(links.map(async ({ href }) => [href, (await fetch(href)).status])));
  await page.locator("#tz").click();
  await page.waitForURL((url) => !url.search.includes("tz="), { timeout: 5000 }).catch(() => {});
  await page.waitForLoadState("networkidle");
  const back = { url: page.url(), times: await times(page) };
  const plain = await times(await opened("/monitors/clicks?tz=local", { ...india, javaScriptEnabled: false }));
  return { utc, local, kept, files, back, plain };
}

async function chosen() {
  const page = await opened("/monitors/clicks?tz=local", { timezoneId: "Asia/Kolkata" });
  const field = await page.locator("#from").evaluate((from) => ({ utc: from.defaultValue, local: from.value, label: from.labels[0].textContent }));
  await page.locator("#times summary").click();
  await page.locator("#show").click();
  await page.waitForURL(/from=/);
  return { ...field, url: page.url() };
}

async function sticky() {
  const page = await opened("/monitors/clicks");
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight / 2));
  const box = await page.locator("#times").boundingBox();
  return { scrolled: await page.evaluate(() => scrollY), top: box.y };
}

async function viewer() {
  const shades = {};
  for (const colorScheme of ["light", "dark"]) {
    const page = await opened("/docs", { colorScheme });
    await page.locator(".swagger-ui .opblock").first().waitFor();
    shades[colorScheme] = await page.evaluate(() => {
      const shade = (element, name) => Math.max(...getComputedStyle(element)[name].match(/\d+/g).slice(0, 3).map(Number));
      return { title: shade(document.querySelector(".swagger-ui .info .title"), "color"), paper: shade(document.body, "backgroundColor"), around: shade(document.documentElement, "backgroundColor"), wraps: getComputedStyle(document.getElementById("api")).overflowWrap };
    });
    shades.here = await page.locator("header nav a[aria-current]").textContent();
  }
  return shades;
}

async function problems() {
  const found = {};
  for (const path of ["/no-such", "/v1/monitors/no-such", "/monitors/clikcs", "/problems/invalid-input", "/problems/invalid"]) {
    for (const way of [{ colorScheme: "light" }, { colorScheme: "dark", viewport: { width: 390, height: 900 } }]) {
      const page = await opened(path, way);
      await page.evaluate(() => document.querySelectorAll("details").forEach((part) => part.setAttribute("open", "")));
      await page.evaluate(AXE);
      const ids = await page.evaluate(async () => (await window.axe.run(document)).violations.map(({ id }) => id));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      found[path] = [...(found[path] ?? []), ...ids, ...(wide ? ["wide"] : [])];
      found[`${path} links`] = await page.locator("main a").evaluateAll((links) => links.map((link) => new URL(link.href).pathname));
    }
  }
  return found;
}

try {
  console.log(JSON.stringify({ zones: await zones(), chosen: await chosen(), sticky: await sticky(), viewer: await viewer(), problems: await problems() }));
} finally {
  await browser.close();
}
