// The browser: Debian's Chromium, without requests of its own.

import { chromium } from "playwright-core";

export function open() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-background-networking", "--font-render-hinting=none"],
  });
}
