// A page that stays open: whether it renews itself, and what it keeps meanwhile.
// node live.mjs ADDRESS TEXT: prints a line when it looks, and a line of JSON when the text has come.

import { open } from "./browser.mjs";

const [address, text] = process.argv.slice(2);
const browser = await open();

try {
  const page = await browser.newPage();
  await page.goto(address);
  await page.waitForFunction(() => document.getElementById("live").textContent === "Live.");
  const summary = page.locator("figure[id] summary").first();
  const some = (await summary.count()) > 0;
  if (some) await summary.press("Enter");
  console.log("looking");
  const start = performance.now();
  await page.waitForFunction((words) => document.getElementById("content").textContent.includes(words), text);
  const seconds = (performance.now() - start) / 1000;
  const isOpen = some ? await page.locator("figure[id] details").first().evaluate((part) => part.open) : true;
  const hasFocus = some ? await summary.evaluate((part) => part === document.activeElement) : true;
  const charts = await page.evaluate(() => Object.values(window.__charts).filter(({ chart }) => chart.root.isConnected).length);
  const plots = await page.locator("figure.chart .plot").count();
  console.log(JSON.stringify({ seconds, isOpen, hasFocus, charts, plots }));
} finally {
  await browser.close();
}
