// How high pages are on a phone, whether they have a list of their parts, and what of a page is folded.
// node heights.mjs ADDRESS PATH...

import { open } from "./browser.mjs";

const [address, ...paths] = process.argv.slice(2);
const browser = await open();
try {
  const page = await browser.newPage({ viewport: { width: 390, height: 900 } });
  const seen = {};
  for (const path of paths) {
    await page.goto(address + path, { waitUntil: "networkidle" });
    seen[path] = await page.evaluate(() => ({
      height: document.documentElement.scrollHeight,
      hasList: document.querySelector("nav[aria-label='On this page']")?.checkVisibility() ?? false,
      folded: [...document.querySelectorAll(".on-phones + .folds figure")].filter((one) => !one.checkVisibility()).length,
    }));
    for (const summary of await page.locator(".on-phones:has(+ .folds) summary").all()) await summary.click();
    seen[path].hidden = await page.locator(".on-phones + .folds :is(figure, tr.fine):not(:visible)").count();
  }
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
