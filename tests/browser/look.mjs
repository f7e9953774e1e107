// Visits to every page in a browser, written down as JSON.
// node look.mjs ADDRESS OUT PATH...

import { writeFile } from "node:fs/promises";
import { open } from "./browser.mjs";
import { visit, visitWithoutScripts } from "./visit.mjs";

const AT_ONCE = 3;
const [address, out, ...paths] = process.argv.slice(2);
const browser = await open();
const seen = {};
const left = [...paths];

async function work() {
  for (let path = left.shift(); path !== undefined; path = left.shift()) {
    seen[path] = await visit(browser, address, path);
    seen[path].plain = await visitWithoutScripts(browser, address, path);
  }
}

try {
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await writeFile(out, JSON.stringify(seen));
} finally {
  await browser.close();
}
