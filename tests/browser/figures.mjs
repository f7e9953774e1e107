// What a hand does with figures: node figures.mjs ADDRESS PATH tells of readings, files and zooms.

import { readFile } from "node:fs/promises";
import { open } from "./browser.mjs";

const [address, path] = process.argv.slice(2);
const browser = await open();

async function across(page, from, to) {
  const box = await page.locator("#log-loss .u-over").boundingBox();
  const at = (part) => [box.x + part * box.width, box.y + box.height / 2];
  await page.mouse.move(...at(from));
  if (to === undefined) return;
  await page.mouse.down();
  await page.mouse.move(...at((from + to) / 2), { steps: 3 });
  await page.mouse.move(...at(to), { steps: 3 });
  await page.mouse.up();
}

const reading = (page, id) => page.locator(`#${id} .reading`).textContent();

async function file(page, id, kind) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator(`#${id}-${kind}`).click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

// How many pixels of a picture have the colour of the page behind it, and how many that of a series.
async function colours(page, bytes, name) {
  return page.evaluate(async ([data, hue]) => {
    const raw = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([raw], { type: "image/png" }));
    const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, image.width, image.height).data;
    const style = getComputedStyle(document.documentElement);
    const parts = (variable) => [1, 3, 5].map((at) => parseInt(style.getPropertyValue(variable).trim().slice(at, at + 2), 16));
    const count = (wanted) => {
      let found = 0;
      for (let at = 0; at < pixels.length; at += 4) if (wanted.every((value, part) => Math.abs(value - pixels[at + part]) < 3)) found += 1;
      return found;
    };
    return { width: image.width, height: image.height, paper: count(parts("--paper")), hue: count(parts(hue)), words: count(parts("--quiet")) };
  }, [bytes.toString("base64"), name]);
}

async function used(colorScheme) {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1200, height: 900 }, acceptDownloads: true });
  await page.goto(address + path, { waitUntil: "networkidle" });
  const files = {};
  for (const id of ["log-loss", "reliability"]) {
    const csv = await file(page, id, "csv"), png = await file(page, id, "png");
    files[id] = { names: [csv.name, png.name], csv: csv.bytes.toString(), png: await colours(page, png.bytes, "--c1") };
  }
  return { page, files };
}

try {
  const { page, files } = await used("light");
  const seen = { files, dark: (await used("dark")).files };
  await page.locator("#log-loss").scrollIntoViewIfNeeded();
  await across(page, 0.45);
  seen.hover = { own: await reading(page, "log-loss"), other: await reading(page, "calibration-ratio") };
  await page.mouse.move(2, 2);
  seen.away = await reading(page, "log-loss");
  await page.locator("#log-loss .plot").focus();
  for (const key of ["Home", "ArrowRight", "ArrowRight", "End", "Escape"]) {
    await page.keyboard.press(key);
    (seen.keys ??= []).push(await reading(page, "log-loss"));
  }
  const mark = page.locator("#log-loss .time-mark").first(), words = page.locator("#log-loss .time-mark span:visible");
  seen.mark = { before: await words.count() };
  await mark.hover();
  seen.mark.words = (await words.allTextContents()).map((text) => text.slice(6));
  seen.marks = await page.locator(".time-mark").count();
  await page.locator("#reliability .catch").nth(2).hover();
  seen.tip = await page.locator("#reliability .tip:visible").allTextContents();
  await page.locator("#log-loss").scrollIntoViewIfNeeded();
  seen.before = page.url();
  await Promise.all([page.waitForURL((url) => url.href !== seen.before), across(page, 0.3, 0.6)]);
  await page.waitForLoadState("networkidle");
  seen.zoomed = page.url();
  seen.inside = await page.evaluate(async () => (await import(document.querySelector("script[src$='charts.js']").src)).drawn.get("log-loss").data.x);
  await Promise.all([page.waitForURL((url) => url.search === new URL(seen.before).search), page.locator("#log-loss .u-over").dblclick()]);
  await page.waitForLoadState("networkidle");
  await page.locator("#log-loss").scrollIntoViewIfNeeded();
  await across(page, 0.5, 0.503);
  await page.waitForTimeout(300);
  seen.clicked = page.url().split("#")[0];
  const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await plain.goto(address + path);
  seen.withoutScripts = await plain.locator("[data-file]:visible").count();
  seen.buttons = await plain.locator("[data-file]").count();
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
}
