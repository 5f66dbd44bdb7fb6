/// <reference lib="dom" />
import assert from "node:assert/strict";
import { browserTest, untilLive } from "./chromium.ts";

const WEB = "/environments/dev/workloads/web";

browserTest("a person watches the dashboard while things happen", {
  async "an environment that mpctl creates appears on the open overview"(world) {
    const page = await world.visit("/");
    await untilLive(page);
    await page.getByText("There are no environments yet").waitFor();
    const marked = page.locator("body");
    await marked.evaluate((body) => body.setAttribute("data-loaded-once", ""));
    assert.equal((await world.mpctl("env", "create", "dev", "--label", "team=web")).code, 0);
    await page.locator("[id='changed-environments/dev']").getByText("Ready").waitFor();
    assert.equal(await page.title(), "Overview · mpc");
    assert.ok(await marked.getAttribute("data-loaded-once") !== null, "without loading the page");
  },

  async "a deployment is seen running, failing and explained, without reload"(world) {
    const page = await world.visit("/environments/dev");
    await untilLive(page);
    await page.locator("body").evaluate((body) => body.setAttribute("data-loaded-once", ""));
    const deploy = world.mpctl(
      ...["workload", "deploy", "web", "--env", "dev", "--image", "nginx:missing"],
      ...["--replicas", "2"],
    );
    const row = page.locator(`[id='environments/dev/workloads/web']`);
    await row.getByText("Deploying").waitFor();
    await row.getByText("Deploy failed").waitFor();
    assert.equal((await deploy).code, 3);
    await row.getByRole("link", { name: "web" }).click();
    await page.getByText("IMAGE_PULL_FAILED").first().waitFor();
    await page.getByText(/mpctl /).first().waitFor();
    assert.match(await page.title(), /^✕ dev\/web/);
  },

  async "a page catches up after the server has restarted"(world) {
    const page = await world.visit("/environments");
    await untilLive(page);
    await page.locator("body").evaluate((body) => body.setAttribute("data-loaded-once", ""));
    await world.stop();
    await page.locator("#live").getByText(/reconnecting|stale since/).waitFor();
    await page.locator("#live").getByText(/stale since/).waitFor();
    await page.getByRole("link", { name: "dev" }).waitFor();
    await world.start();
    assert.equal((await world.mpctl("env", "create", "late")).code, 0);
    await page.locator("[id='environments/late']").getByText("Ready").waitFor();
    await untilLive(page);
    assert.ok(await page.locator("body").getAttribute("data-loaded-once") !== null);
  },

  async "a log goes on, is searched and paused"(world) {
    await world.mpctl("workload", "deploy", "web", "--env", "dev", "--image", "nginx:1.27");
    const page = await world.visit(WEB);
    const lines = page.locator(".log-line");
    await lines.first().waitFor();
    const before = await lines.count();
    await page.waitForFunction(
      (count) => document.querySelectorAll(".log-line").length > count,
      before,
    );
    await page.getByLabel("Search these lines").fill("no line has this");
    assert.equal(await page.locator(".log-line:visible").count(), 0);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText(/paused, [1-9]\d* new/).waitFor();
  },

  async "everything is there without JavaScript"(world) {
    const page = await world.visit(WEB, { javaScriptEnabled: false });
    for (const title of ["Copies", "Revisions", "Logs", "Conditions", "Recent operations"]) {
      await page.getByRole("heading", { name: title }).waitFor();
    }
    assert.equal(await page.locator("button[data-palette]:visible").count(), 0);
    await page.getByRole("button", { name: "Dark" }).click();
    assert.equal(new URL(page.url()).pathname, WEB);
    assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
    await page.goto(`${world.origin}/environments`);
    await page.getByRole("searchbox").fill("dev");
    await page.getByRole("button", { name: "Search" }).click();
    assert.deepEqual(
      await page.locator("tbody tr").evaluateAll((rows) => rows.map(({ id }) => id)),
      [
        "environments/dev",
      ],
    );
  },

  async "the whole walk goes by keyboard"(world) {
    const page = await world.visit("/");
    await untilLive(page);
    await page.keyboard.press("Tab");
    assert.equal(await page.locator(":focus").textContent(), "Skip to content");
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.waitForURL("**/environments");
    await untilLive(page);
    await page.keyboard.press("/");
    assert.equal(await page.locator(":focus").getAttribute("type"), "search");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("dev/web");
    await page.getByRole("option", { name: "dev/web workload" }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(`**${WEB}`);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await page.getByRole("dialog").count(), 0);
  },
});
