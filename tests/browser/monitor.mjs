// The page of a monitor in somebody's hands: what is copied, and where a click leads.
// node monitor.mjs ADDRESS PATH

import { open } from "./browser.mjs";

const [address, path] = process.argv.slice(2);
const browser = await open();
try {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: address });
  const page = await context.newPage();
  const seen = {};
  const copied = async (button) => {
    await page.getByRole("button", { name: button }).click();
    await page.waitForFunction(() => document.getElementById("copied").textContent === "Copied.");
    return page.evaluate(() => navigator.clipboard.readText());
  };
  const now = async () => ({
    url: page.url(),
    title: await page.locator("#now").innerText(),
    rows: await page.locator("#shown-time").innerText(),
  });
  await page.goto(address + path, { waitUntil: "networkidle" });
  seen.markdown = await copied("Copy as Markdown");
  seen.link = await copied("Copy link");
  seen.focus = await page.evaluate(() => document.activeElement.id);
  await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  seen.byHand = await page.evaluate(() => {
    document.getElementById("copied").textContent = "";
    return new Promise((done) => {
      document.execCommand = (what) => done([what, document.activeElement.value]) ?? true;
      document.getElementById("copy-link").click();
    });
  });
  seen.order = await page.evaluate(() => [...document.querySelectorAll("h2")].map((title) => title.id));
  seen.jumps = await page.locator("nav.jump a").evaluateAll((links) => links.filter((link) => !document.querySelector(link.hash)).length);
  const worst = page.locator("tr.worst a");
  seen.worst = await worst.innerText();
  await Promise.all([page.waitForNavigation(), worst.click()]);
  seen.alone = await now();
  await Promise.all([page.waitForNavigation(), page.getByRole("link", { name: "Show all rows" }).first().click()]);
  seen.all = await now();
  const heights = (selector) => page.locator(selector).evaluateAll((cards) => cards.map((card) => card.getBoundingClientRect().height));
  seen.heights = await heights(".glance .card");
  await page.setViewportSize({ width: 390, height: 900 });
  seen.formIsShown = await page.locator(".times form.pickers").evaluate((form) => form.checkVisibility());
  seen.cells = await page.locator("#checks + p + .scroll td").evaluateAll((cells) => cells.filter((cell) => cell.checkVisibility()).map((cell) => cell.dataset.label));
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight / 2));
  seen.jump = await page.locator("nav.jump").boundingBox();
  await page.locator("details").evaluateAll((parts) => parts.forEach((part) => part.setAttribute("open", "")));
  seen.cutOff = await page.locator(".scroll:has(> table.cards)").evaluateAll((regions) =>
    regions.filter((region) => region.scrollWidth > region.clientWidth).map((region) => region.ariaLabel),
  );
  const abroad = await browser.newPage({ timezoneId: "Asia/Kolkata" });
  const clocks = async (query) => {
    await abroad.goto(address + path + query, { waitUntil: "networkidle" });
    return abroad.evaluate(async () => {
      const { drawn } = await import(document.querySelector("script[src$='charts.js']").src);
      const figure = document.querySelector("figure.chart"), [axis] = drawn.get(figure.id).chart.axes;
      return { label: axis.label, ticks: axis._values, reading: figure.querySelector(".reading").textContent };
    });
  };
  seen.clocks = { utc: await clocks(""), local: await clocks("?tz=local") };
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
