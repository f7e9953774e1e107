// Logging in and out as a browser does it, without scripts, and what a page elsewhere can do.

import { createServer } from "node:http";
import { chromium } from "playwright-core";

const [port, key] = process.argv.slice(2);
// By a name that is not of this machine a browser says no Sec-Fetch-Site over http: Origin decides.
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-background-networking", "--host-resolver-rules=MAP *.example 127.0.0.1"],
});
const seen = {};
for (const host of ["127.0.0.1", "kullback.example"]) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const base = `http://${host}:${port}`;
  const steps = [];
  const note = async (answer) => steps.push([answer?.status() ?? 0, new URL(page.url()).pathname, await page.locator("h1").innerText()]);
  await note(await page.goto(`${base}/monitors/none?by=country`));
  await page.getByLabel("Key").fill("kb_wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await note(null);
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Log in" }).click();
  await note(null);
  const cookies = await context.cookies();
  await page.getByRole("button", { name: "Log out" }).click();
  await note(null);
  await note(await page.goto(`${base}/`));
  await context.addCookies(cookies);
  await note(await page.goto(`${base}/`)); // the token is of no use any more
  seen[host] = { steps, cookies: cookies.map(({ httpOnly, sameSite, secure }) => ({ httpOnly, sameSite, secure })) };
  await context.close();
}

// A page of somebody else, opened by somebody who has logged in.
const evil = createServer((_, answer) => {
  answer.setHeader("content-type", "text/html");
  answer.end(`<form method="post" action="http://kullback.example:${port}/logout"><button>Win</button></form>`);
});
await new Promise((done) => evil.listen(0, "127.0.0.1", done));
const context = await browser.newContext();
const page = await context.newPage();
await page.goto(`http://kullback.example:${port}/`);
await page.getByLabel("Key").fill(key);
await page.getByRole("button", { name: "Log in" }).click();
await page.waitForURL("**/");
await page.goto(`http://evil.example:${evil.address().port}/`);
const [answer] = await Promise.all([page.waitForResponse("**/logout"), page.getByRole("button").click()]);
const back = await context.newPage();
await back.goto(`http://kullback.example:${port}/`);
seen.elsewhere = { status: answer.status(), cookie: (await answer.request().allHeaders()).cookie ?? "", still: await back.locator("h1").innerText() };
evil.close();
await browser.close();
console.log(JSON.stringify(seen));
