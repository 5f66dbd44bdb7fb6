/// <reference lib="dom" />
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import axe from "axe-core";
import pixelmatch from "pixelmatch";
import type { Page } from "playwright-core";
import { PNG } from "pngjs";
import { browserTest, type BrowserWorld, untilLive } from "./chromium.ts";

const GOLDEN = new URL("../golden/ui/", import.meta.url);

/** The share of pixels that may differ: fonts are drawn a little differently elsewhere. */
const TOLERANCE = 0.04;

const PAGES = {
  overview: "/",
  environments: "/environments",
  environment: "/environments/dev",
  workload: "/environments/dev/workloads/web",
  failed_workload: "/environments/staging/workloads/broken",
  operations: "/operations",
  /** Known once the operation has failed. */
  operation: "",
  audit: "/audit",
  status: "/status",
  sign_in: "/ui/sign-in",
  missing: "/environments/nowhere",
};

/** The pages whose pictures are kept. */
const PICTURED = [
  "overview",
  "environments",
  "environment",
  "workload",
  "failed_workload",
  "operations",
  "operation",
  "status",
] as const;

/** The pages that are read once. */
const NOT_LIVE: readonly string[] = ["audit", "sign_in", "missing"];

const THEMES = ["light", "dark"] as const;

const DESK = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

/** What the pages show. */
async function fill({ mpctl }: { readonly mpctl: BrowserWorld["mpctl"] }): Promise<void> {
  const commands = [
    "env create dev --ttl 8h --label team=web --max-workloads 6 --max-cpu 4 --max-memory 4Gi",
    "env create staging --label team=web --label tier=staging",
    "workload deploy web --env dev --image nginx:1.27 --replicas 3 --cpu 250m --memory 256Mi",
    "workload deploy web --env dev --image nginx:1.28 --cpu 500m",
  ];
  for (const command of commands) {
    const { code, err } = await mpctl(...command.split(" "));
    assert.equal(code, 0, err);
  }
  const broken = "workload deploy broken --env staging --image nginx:missing --replicas 2";
  assert.equal((await mpctl(...broken.split(" "))).code, 3);
  const failed = await mpctl("op", "list", "--filter", "state = FAILED", "-o", "name");
  PAGES.operation = `/${failed.out.trim()}`;
}

browserTest("the dashboard looks as it should", {
  async "the pages have something to show"(world) {
    await fill({ mpctl: (...args) => world.mpctl(...args) });
  },

  async "axe-core finds nothing on any page, in both themes"(world) {
    for (const colorScheme of THEMES) {
      for (const [name, path] of Object.entries(PAGES)) {
        const page = await world.visit(path, { colorScheme, bypassCSP: true });
        await page.evaluate(axe.source);
        const violations = await page.evaluate(async () => {
          const injected: typeof axe = Reflect.get(globalThis, "axe");
          const { violations } = await injected.run(document, {
            runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
          });
          return violations.map(({ id, nodes }) =>
            `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join("; ")}`
          );
        });
        assert.deepEqual(violations, [], `${name} in ${colorScheme}`);
        await page.context().close();
      }
    }
  },

  async "no page is wider than a phone"(world) {
    for (const [name, path] of Object.entries(PAGES)) {
      const page = await world.visit(path, { viewport: PHONE });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= PHONE.width, `${name} is ${width} pixels wide`);
      await page.context().close();
    }
  },

  async "hardly anything moves while a page loads and becomes live"(world) {
    for (const path of ["/", "/environments", "/environments/dev"]) {
      const page = await world.visit(path, { viewport: DESK });
      await untilLive(page);
      // A time that becomes longer may widen its column: 0.013 was seen. 0.1 is "good" (Web Vitals).
      assert.ok(await page.evaluate(layoutShift) < 0.1, path);
      await page.context().close();
    }
  },

  async "no page loads anything from elsewhere, or breaks its own policy"(world) {
    const complaints: string[] = [];
    const page = await world.visit("/environments", { viewport: DESK });
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(world.origin)) complaints.push(request.url());
    });
    for (const [name, path] of Object.entries(PAGES)) {
      if (NOT_LIVE.includes(name)) continue;
      await page.goto(`${world.origin}${path}`);
      await untilLive(page);
    }
    assert.deepEqual(complaints, []);
  },

  async "the main pages look like their pictures"(world) {
    await mkdir(GOLDEN, { recursive: true });
    for (const name of PICTURED) {
      const path = PAGES[name];
      for (const theme of THEMES) {
        const page = await world.visit(path, { viewport: DESK, colorScheme: theme });
        await compare(page, `${name}_${theme}`);
      }
      const page = await world.visit(path, { viewport: PHONE });
      await compare(page, `${name}_phone`);
    }
  },
});

/** How far things have moved since the page was opened (Layout Instability API). */
const layoutShift = () =>
  new Promise<number>((resolve) => {
    let sum = 0;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value;
    });
    observer.observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
  });

/** Compares a page with its picture; `UPDATE_GOLDEN=1` writes the picture. */
async function compare(page: Page, name: string): Promise<void> {
  await page.evaluate(() => {
    // What differs from run to run.
    for (const time of document.querySelectorAll("time, [data-since]")) {
      time.replaceWith("1m ago");
    }
    for (const took of document.querySelectorAll(".num.nowrap")) took.textContent = "1.0s";
    document.querySelector(".log-lines")?.replaceChildren();
    document.querySelector("#day .muted")?.replaceChildren();
    document.querySelector("#live")?.remove();
  });
  const picture = PNG.sync.read(await page.screenshot({ animations: "disabled" }));
  await page.context().close();
  const file = new URL(`${name}.png`, GOLDEN);
  if (Deno.env.get("UPDATE_GOLDEN")) {
    await writeFile(file, PNG.sync.write(picture));
    return;
  }
  const golden = PNG.sync.read(await readFile(file));
  const size = ({ width, height }: PNG) => `${width}×${height}`;
  assert.equal(size(picture), size(golden), name);
  const { width, height } = golden;
  const different = pixelmatch(picture.data, golden.data, undefined, width, height, {
    threshold: 0.2,
  });
  const share = different / (width * height);
  assert.ok(
    share <= TOLERANCE,
    `${name}.png differs in ${
      (share * 100).toFixed(1)
    } % of its pixels; UPDATE_GOLDEN=1 accepts it`,
  );
}
