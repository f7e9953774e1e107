// What the overview shows while its search is typed: rows, the address, the field, and the same without scripts.
// node search.mjs ADDRESS WORDS

import { open } from "./browser.mjs";

const [address, words] = process.argv.slice(2);
const browser = await open();
const rows = (page) => page.locator("#rows table tbody th a:first-child").allTextContents();
try {
  const page = await browser.newPage();
  await page.goto(`${address}/?page=2&arms=2`, { waitUntil: "networkidle" });
  const before = await rows(page);
  await page.locator("#q").pressSequentially(words, { delay: 20 });
  await page.waitForFunction((words) => new URL(location).searchParams.get("q") === words, words); // typed slowly, it is asked more than once
  await page.waitForFunction((count) => document.querySelectorAll("#rows tbody tr").length < count, before.length);
  const typed = { rows: await rows(page), address: page.url() };
  await page.waitForTimeout(6000); // a poll goes by
  await page.keyboard.press("Home");
  await page.keyboard.type("x");
  const field = await page.evaluate(() => [document.activeElement.id, document.getElementById("q").value]);
  await page.waitForFunction(() => document.querySelectorAll("#rows tbody tr").length === 0);
  await page.goto(typed.address, { waitUntil: "networkidle" });
  const opened = await rows(page);
  const context = await browser.newContext({ javaScriptEnabled: false });
  const plain = await context.newPage();
  await plain.goto(address);
  await plain.locator("#q").fill(words);
  await plain.keyboard.press("Enter");
  await plain.waitForURL(/q=/);
  const sent = { rows: await rows(plain), address: plain.url() };
  console.log(JSON.stringify({ before, typed, field, opened, sent }));
} finally {
  await browser.close();
}
