// Screenshots of the pages, in both themes: node screenshots.mjs ADDRESS FOLDER.

import { open } from "./browser.mjs";

const SHOWN = {
  overview: { path: "/", width: 1000, height: 640 },
  monitor: { path: "/monitors/clicks", width: 1000, height: 1100 },
  experiment: { path: "/experiments/ranker", width: 1000, height: 1100 },
  playground: { path: "/playground/kl-divergence", width: 1000, height: 900 },
};
const [address, folder] = process.argv.slice(2);
const browser = await open();

try {
  for (const [name, { path, width, height }] of Object.entries(SHOWN)) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await browser.newPage({ colorScheme, viewport: { width, height } });
      await page.goto(address + path, { waitUntil: "networkidle" });
      await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png` });
      await page.close();
    }
  }
} finally {
  await browser.close();
}
