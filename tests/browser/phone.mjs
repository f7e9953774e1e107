// The tables of a page on a phone: what of them is cut off, and what each cell says its column is.
// node phone.mjs ADDRESS PATH

import { open } from "./browser.mjs";

const [address, path] = process.argv.slice(2);
const browser = await open();
try {
  const page = await browser.newPage({ viewport: { width: 390, height: 900 } });
  await page.goto(address + path, { waitUntil: "networkidle" });
  const cells = await page.evaluate(() =>
    [...document.querySelectorAll("table.cards tbody td")].map((cell) => {
      const box = cell.getBoundingClientRect();
      const text = document.createRange();
      text.selectNodeContents(cell);
      return {
        label: getComputedStyle(cell, "::before").content,
        isShown: cell.checkVisibility(),
        left: Math.min(box.left, text.getBoundingClientRect().left),
        right: Math.max(box.right, text.getBoundingClientRect().right),
      };
    }),
  );
  console.log(JSON.stringify(cells));
} finally {
  await browser.close();
}
