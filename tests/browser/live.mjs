// A page that stays open: whether it renews itself, and what it keeps meanwhile.
// node live.mjs ADDRESS TEXT: prints a line when it looks, and a line of JSON when the text has come.

import { open } from "./browser.mjs";

const PATIENCE = 120_000; // of a machine that is busy; else some 5 seconds
const [address, text] = process.argv.slice(2);
const browser = await open();

try {
  const page = await browser.newPage();
  await page.addInitScript(() => {
    const later = window.setTimeout;
    window.__rests = [];
    window.setTimeout = (work, rest, ...more) => window.__rests.push(rest) && later(work, rest, ...more);
  });
  await page.goto(address);
  await page.waitForFunction(() => document.getElementById("live").textContent === "Live.");
  const summary = page.locator("figure[id] summary").first();
  const some = (await summary.count()) > 0;
  if (some) await summary.press("Enter");
  const answers = [];
  page.on("response", (answer) => answers.push(answer.text().then((body) => body.includes(text), () => false)));
  console.log("looking");
  await page.waitForFunction((words) => document.getElementById("content").textContent.includes(words), text, { timeout: PATIENCE });
  const told = (await Promise.all(answers)).filter(Boolean).length;
  const rest = await page.evaluate(() => Math.max(...window.__rests) / 1000);
  const isOpen = some ? await page.locator("figure[id] details").first().evaluate((part) => part.open) : true;
  const hasFocus = some ? await summary.evaluate((part) => part === document.activeElement) : true;
  const charts = await page.evaluate(async () => {
    const script = document.querySelector("script[src$='charts.js']");
    return script ? [...(await import(script.src)).drawn.values()].filter(({ chart }) => chart.root.isConnected).length : 0;
  });
  const plots = await page.locator("figure.chart .plot").count();
  console.log(JSON.stringify({ told, rest, isOpen, hasFocus, charts, plots }));
} finally {
  await browser.close();
}
