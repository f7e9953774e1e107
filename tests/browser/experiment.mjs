// What somebody sees and does on the page of an experiment: its parts, its chips, what is copied, a phone.
// node experiment.mjs ADDRESS PATH

import { open } from "./browser.mjs";

const [address, path] = process.argv.slice(2);
const browser = await open();
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: address });
  const page = await context.newPage();
  await page.goto(address + path, { waitUntil: "networkidle" });
  const parts = await page.evaluate(() =>
    Object.fromEntries(
      [".verdict", ".verdict svg", ".chips", "#by-metric svg", "#course", "#arms", "#export"].map((which) => {
        const box = document.querySelector(which).getBoundingClientRect();
        return [which, { top: box.top, bottom: box.bottom, width: box.width }];
      }),
    ),
  );
  // Words of pictures that stand beyond their picture, or on each other.
  const cut = await page.evaluate(() =>
    [...document.querySelectorAll("svg.figure")].flatMap((picture) => {
      const frame = picture.getBoundingClientRect();
      const words = [...picture.querySelectorAll("text:not(.tip)")];
      const boxes = words.map((text) => text.getBoundingClientRect());
      const isCut = (box) => box.left < frame.left - 1 || box.right > frame.right + 1;
      return words.filter((_, at) => isCut(boxes[at])).map((text) => text.textContent);
    }),
  );
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const chip = page.locator("#check-1");
  const closed = await chip.locator("p").isVisible();
  await chip.locator("summary").focus();
  await page.keyboard.press("Enter");
  const opened = { isVisible: await chip.locator("p").isVisible(), words: await chip.innerText() };
  await page.locator("#copy-report").click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const words = await page.locator("#copied").textContent();
  await page.locator("nav[aria-label='On this page'] a", { hasText: "Arms" }).click();
  const place = new URL(page.url()).hash;
  await page.setViewportSize({ width: 390, height: 900 });
  const phone = await page.evaluate(() => ({
    width: document.documentElement.scrollWidth,
    verdict: document.querySelector(".verdict").getBoundingClientRect().top + scrollY,
    form: document.querySelector("form.pickers").getBoundingClientRect().top + scrollY,
    height: document.documentElement.scrollHeight,
  }));
  console.log(JSON.stringify({ parts, cut, height, closed, opened, copied, words, place, phone }));
} finally {
  await browser.close();
}
