/** A real browser on the dashboard of a real platform. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@mpc/process";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { bundleMpctl } from "../../cli/build/bundle.ts";
import { mpctlCommand } from "../e2e/mpctl_world.ts";
import { type PlatformProcess, startPlatform } from "../servers/platform_process.ts";
import { type Result, runCommand } from "../servers/run_command.ts";

/** The program: Debian's, or another one. */
const PROGRAM = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";

/** How long a page may take to show something; a loaded machine is slow. */
export const PATIENCE_MS = 30_000;

export class BrowserWorld implements AsyncDisposable {
  readonly browser: Browser;
  readonly origin: string;
  readonly #directory: string;
  readonly #port: number;
  #platform: PlatformProcess;

  private constructor(
    browser: Browser,
    platform: PlatformProcess,
    directory: string,
    port: number,
  ) {
    this.browser = browser;
    this.#platform = platform;
    this.#directory = directory;
    this.#port = port;
    this.origin = platform.web.origin;
  }

  static async open(): Promise<BrowserWorld> {
    const directory = await mkdtemp(join(tmpdir(), "mpc-browser-"));
    const port = await freePort();
    await bundleMpctl(join(directory, "mpctl.js"));
    const platform = await startPlatform(argsOf(directory, port));
    const browser = await chromium.launch({
      executablePath: PROGRAM,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    });
    return new BrowserWorld(browser, platform, directory, port);
  }

  /** Opens a page in a browser that knows nothing yet. */
  async visit(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ colorScheme: "light", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(`${this.origin}${path}`);
    return page;
  }

  mpctl(...args: readonly string[]): Promise<Result> {
    const command = mpctlCommand(join(this.#directory, "mpctl.js"));
    const env = { NO_COLOR: "1", MPC_CONFIG: join(this.#directory, "config.yaml") };
    return runCommand([...command, ...args, "--server", this.origin], { env });
  }

  stop(): Promise<void> {
    return this.#platform.stop();
  }

  /** Starts the server again, at the same address and with the same data. */
  async start(): Promise<void> {
    this.#platform = await startPlatform(argsOf(this.#directory, this.#port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.#platform.stop();
    await rm(this.#directory, { recursive: true });
  }
}

const argsOf = (directory: string, port: number): readonly string[] => [
  "--data-dir",
  join(directory, "data"),
  "--web-listen",
  `127.0.0.1:${port}`,
];

/** Waits until a live page follows the event log. */
export const untilLive = (page: Page): Promise<void> =>
  page.locator("#live[data-state=live]").waitFor();

/** Registers cases that share a browser and a platform, in their order. */
export function browserTest(
  title: string,
  cases: Readonly<Record<string, (world: BrowserWorld) => Promise<void>>>,
): void {
  Deno.test({
    name: title,
    // The browser is driven through pipes and processes of its own.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn(t) {
      await using world = await BrowserWorld.open();
      for (const [name, run] of Object.entries(cases)) {
        await t.step(name, async () => {
          try {
            await run(world);
          } finally {
            for (const context of world.browser.contexts()) await context.close();
          }
        });
      }
    },
  });
}
