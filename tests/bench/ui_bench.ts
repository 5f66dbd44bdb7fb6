/// <reference lib="dom" />
import { gzipSync } from "node:zlib";
import { createClient, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { connectBy } from "@mpc/client";
import { EnvironmentService, WorkloadService } from "@mpc/proto";
import { createDashboard } from "@mpc/ui";
import { chromium, type Page } from "playwright-core";
import { startPlatform } from "../servers/platform_process.ts";
import { startUi } from "../servers/ui_process.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, residentBytes, timed } from "./measure.ts";

const ENVIRONMENTS = 100;
const WORKLOADS = 20;
const ROUNDS = 40;
const LIVE_PAGES = 500;
const PAGES = { overview: "/", environment: "/environments/e0" } as const;

/** What pages cost: the server, the network, the browser, and a process with many of them open. */
export async function run(): Promise<BenchRow[]> {
  const platform = await startPlatform(["--ephemeral", "--simulated-delays=none"]);
  try {
    await fill(platform.web.origin);
    return [
      ...await serverTimes(platform.web.origin),
      ...await sizes(platform.web),
      ...await paints(platform.web),
      await livePages(platform.web),
    ];
  } finally {
    await platform.stop();
  }
}

async function fill(baseUrl: string): Promise<void> {
  const transport = createGrpcWebTransport({ baseUrl });
  const environments = createClient(EnvironmentService, transport);
  const workloads = createClient(WorkloadService, transport);
  await Promise.all(
    Array.from({ length: ENVIRONMENTS }, (_, index) =>
      environments.createEnvironment({
        environmentId: `e${index}`,
        environment: { labels: { team: "web" } },
      })),
  );
  for (let index = 0; index < WORKLOADS; index++) {
    await workloads.deployWorkload({
      parent: "environments/e0",
      workloadId: `w${index}`,
      workload: { spec: { image: "nginx:1.27", replicas: 2 } },
    });
  }
}

/** How long a page takes on its server, against the time in which its calls run. */
async function serverTimes(baseUrl: string): Promise<BenchRow[]> {
  const transport = createGrpcWebTransport({ baseUrl });
  const busy = new BusyTime();
  const dashboard = createDashboard({
    connectAs: () => connectBy(busy.measured(transport)),
    now: () => Date.now(),
    secure: false,
  });
  const rows: BenchRow[] = [];
  for (const [name, path] of Object.entries(PAGES)) {
    const [pages, calls]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      busy.ms = 0;
      pages.push(
        await timed(async () => {
          const request = new Request(new URL(path, "http://localhost"), {
            headers: { accept: "text/html", "accept-encoding": "gzip" },
          });
          await (await dashboard.pages(request, { source: "127.0.0.1" })).arrayBuffer();
        }),
      );
      calls.push(busy.ms);
    }
    rows.push({
      name: `${name} page, server time p50`,
      value: quantile(pages),
      unit: "ms",
      reference: `its API calls (${quantile(calls).toFixed(1)} ms)`,
      ratio: quantile(pages) / quantile(calls),
      target: { max: 3 },
      note: `${ENVIRONMENTS} environments`,
    });
  }
  dashboard.close();
  return rows;
}

/** Adds up the time in which at least one call runs. */
class BusyTime {
  ms = 0;
  #running = 0;
  #since = 0;

  measured(transport: Transport): Transport {
    return {
      unary: async (...call) => {
        if (this.#running++ === 0) this.#since = performance.now();
        try {
          return await transport.unary(...call);
        } finally {
          if (--this.#running === 0) this.ms += performance.now() - this.#since;
        }
      },
      stream: (...call) => transport.stream(...call),
    };
  }
}

/** What a browser loads for its first page, as it is sent. */
async function sizes(web: URL): Promise<BenchRow[]> {
  const page = await (await fetch(web, { headers: { accept: "text/html" } })).text();
  const names = [...page.matchAll(/(?:href|src)="(\/ui\/static\/[^"]+)"/g)].map(([, url]) => url!);
  const texts = new Map<string, string>();
  for (const name of names) {
    if (texts.has(name)) continue;
    const text = await (await fetch(new URL(name, web))).text();
    texts.set(name, text);
    // Scripts import others.
    for (const [, url] of text.matchAll(/from "(\/ui\/static\/[^"]+)"/g)) names.push(url!);
  }
  const kB = (text: string) => gzipSync(text).length / 1_000;
  const sum = (of: readonly string[]) => of.reduce((sum, text) => sum + kB(text), 0);
  const scripts = [...texts].filter(([name]) => name.endsWith(".js")).map(([, text]) => text);
  return [{
    name: "first load of the dashboard, compressed",
    value: kB(page) + sum([...texts.values()]),
    unit: "kB",
    target: { max: 40 },
    note: `${texts.size + 1} files`,
  }, {
    name: "JavaScript of the dashboard",
    value: scripts.reduce((sum, text) => sum + text.length / 1_000, 0),
    unit: "kB",
    target: { max: 15 },
    note: `${sum(scripts).toFixed(1)} kB compressed`,
  }];
}

/** What a person sees, in Chromium on loopback. */
async function paints(web: URL): Promise<BenchRow[]> {
  const browser = await chromium.launch({
    executablePath: Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    const rows: BenchRow[] = [];
    for (const [name, path] of Object.entries(PAGES)) {
      const [largest, shifts]: [number[], number[]] = [[], []];
      for (let round = 0; round < 8; round++) {
        const context = await browser.newContext();
        const page = await context.newPage();
        await page.goto(new URL(path, web).href);
        await page.locator("#live[data-state=live]").waitFor();
        const seen = await paintOf(page);
        // The first page starts the browser's own processes.
        if (round > 0) {
          largest.push(seen.largest);
          shifts.push(seen.shift);
        }
        await context.close();
      }
      rows.push({
        name: `${name} page, Largest Contentful Paint p50`,
        value: quantile(largest),
        unit: "ms",
        target: { max: 300 },
      }, {
        name: `${name} page, Cumulative Layout Shift`,
        value: Math.max(...shifts),
        unit: "",
        target: { max: 0 },
      });
    }
    return rows;
  } finally {
    await browser.close();
  }
}

const paintOf = (page: Page) =>
  page.evaluate(() =>
    new Promise<{ largest: number; shift: number }>((resolve) => {
      const seen = { largest: 0, shift: 0 };
      new PerformanceObserver((list) => {
        for (const { startTime } of list.getEntries()) seen.largest = startTime;
      }).observe({ type: "largest-contentful-paint", buffered: true });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          seen.shift += Number(Reflect.get(entry, "value"));
        }
      }).observe({ type: "layout-shift", buffered: true });
      setTimeout(() => resolve(seen), 100);
    })
  );

/** The memory of a dashboard's process with many live pages, all of them told of a change. */
async function livePages(web: URL): Promise<BenchRow> {
  const ui = await startUi(`--server=${web.origin}`);
  const readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  try {
    for (let page = 0; page < LIVE_PAGES; page++) {
      const response = await fetch(new URL("/ui/live?watch=*", ui.pages));
      readers.push(response.body!.getReader());
    }
    const told = readers.map(async (reader) => {
      const decoder = new TextDecoder();
      for (let text = ""; !text.includes("event: changed");) {
        const { value, done } = await reader.read();
        if (done) throw new Error("a live page has ended");
        text += decoder.decode(value, { stream: true });
      }
    });
    const environments = createClient(
      EnvironmentService,
      createGrpcWebTransport({ baseUrl: web.origin }),
    );
    await environments.createEnvironment({ environmentId: "told", environment: {} });
    await Promise.all(told);
    return {
      name: `dashboard's process with ${LIVE_PAGES} live pages`,
      value: await residentBytes(ui.process.pid) / 1e6,
      unit: "MB",
      target: { max: 200 },
      note: "one watch of the event log",
    };
  } finally {
    await Promise.all(readers.map((reader) => reader.cancel()));
    ui.process.kill("SIGTERM");
    await ui.process.status;
  }
}
