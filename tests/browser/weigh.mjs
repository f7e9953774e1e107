// Weight of a page: node weigh.mjs ADDRESS PATH prints the bytes of each part.

import { open } from "./browser.mjs";
import { weigh } from "./visit.mjs";

const [address, path] = process.argv.slice(2);
const browser = await open();

try {
  console.log(JSON.stringify(await weigh(browser, address, path)));
} finally {
  await browser.close();
}
