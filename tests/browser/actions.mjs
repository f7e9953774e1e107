// What somebody changes from the page of a monitor, and what they see of it.

import { open } from "./browser.mjs";

const [address, name, key] = process.argv.slice(2);
const browser = await open();
const page = await browser.newPage();
const seen = {};
const enter = async (secret) => {
  await page.goto(`${address}/login`);
  await page.getByLabel("Key").fill(secret);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.goto(`${address}/monitors/${name}`);
};
const press = async (button) => {
  await Promise.all([page.waitForNavigation(), page.getByRole("button", { name: button, exact: true }).first().click()]);
};
const marks = () => page.locator("#annotations + table tbody tr").allInnerTexts();

await enter(key);
await page.getByText("Change this monitor").click();
await page.locator("#what").fill("deploy <b>1.4</b>");
await page.locator("#link").fill("https://ci.example/14");
await press("Mark");
seen.marked = await marks();
seen.link = await page.locator("#annotations + table a").getAttribute("href");

await page.getByText("Change this monitor").click();
await press("Set as reference");
await page.getByText("Change this monitor").click();
seen.reference = await page.getByRole("button", { name: "Remove the reference" }).count();
await press("Remove the reference");
await page.getByText("Change this monitor").click();
seen.removed = await page.getByRole("button", { name: "Remove the reference" }).count();

await page.locator("#what").fill("in a year");
await page.locator("#when").evaluate((field) => { field.type = "text"; field.value = "soon"; });
await page.getByRole("button", { name: "Mark", exact: true }).click();
seen.refusal = await page.locator("form.action [role='alert']:visible").innerText();

await press("Remove deploy <b>1.4</b>");
seen.unmarked = await marks();

await page.goto(`${address}/experiments/${name}`);
await page.getByText("Change this experiment").click();
await page.locator("#note").fill("enough <b>rows</b>");
await press("Stop");
seen.stopped = await page.locator("#content p:has(.state)").first().innerText();
await page.goto(`${address}/monitors/${name}`);

await page.getByText("Change this monitor").click();
await page.locator("#confirm").fill("another");
await page.getByRole("button", { name: "Delete" }).click();
seen.kept = page.url();
await page.locator("#confirm").fill(name);
await press("Delete");
seen.gone = [page.url(), await page.locator(`a[href$='monitors/${name}']`).count()];
await browser.close();
console.log(JSON.stringify(seen));
