import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { away, failing, uiTest, type UiWorld } from "./ui_world.ts";

/** An open page, as the server sees it. */
class LivePage implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  private constructor(response: Response) {
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    this.#reader = response.body!.getReader();
  }

  static async open(world: UiWorld, watch: string, lastId?: string): Promise<LivePage> {
    const headers: Record<string, string> = lastId === undefined ? {} : { "last-event-id": lastId };
    const path = `/ui/live?watch=${encodeURIComponent(watch)}`;
    return new LivePage(await world.request(path, { headers }));
  }

  /** The next notice; undefined when the stream has ended. */
  async next(): Promise<
    { readonly event: string; readonly data: string; readonly id: string } | undefined
  > {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, "m").exec(block)?.[1] ?? "";
        if (field("event") === "") continue;
        return { event: field("event"), data: field("data"), id: field("id") };
      }
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}

const watches = ({ calls }: UiWorld) => calls.filter((name) => name === "WatchEvents").length;

uiTest(
  "a live page is told when a resource that it shows has changed, and of no other",
  async (world) => {
    await using dev = await LivePage.open(world, "environments/dev");
    await using staging = await LivePage.open(world, "environments/staging");
    assert.equal((await dev.next())?.event, "ready");
    assert.equal((await staging.next())?.event, "ready");
    await world.createEnvironment("dev");
    const changed = await dev.next();
    assert.equal(changed?.event, "changed");
    assert.notEqual(changed?.id, "");
    await world.createEnvironment("staging");
    assert.equal((await staging.next())?.event, "changed");
  },
);

uiTest("a page that reconnects learns whether it has missed something", async (world) => {
  await using other = await LivePage.open(world, "*");
  const begun = await other.next();
  assert.deepEqual([begun?.event, begun?.data], ["ready", "reset"], "it may have missed something");
  await world.createEnvironment("dev");
  const seen = (await other.next())!.id;
  await world.createEnvironment("staging");
  for (let last = await other.next(); last?.id === seen; last = await other.next());
  await using missed = await LivePage.open(world, "environments/staging", seen);
  assert.deepEqual([(await missed.next())?.data, (await missed.next())?.event], [
    "ready",
    "changed",
  ]);
  await using unknown = await LivePage.open(world, "*", "an-id-of-long-ago");
  assert.equal((await unknown.next())?.data, "reset", "it loads again");
});

uiTest(
  "a page that reconnects after a restart of the dashboard resumes in the log",
  async (world) => {
    const before = await LivePage.open(world, "*");
    const { id } = (await before.next())!;
    await before[Symbol.asyncDispose]();
    world.restart();
    await world.createEnvironment("dev");
    await using page = await LivePage.open(world, "environments/dev", id);
    assert.deepEqual([(await page.next())?.data, (await page.next())?.event], ["ready", "changed"]);
  },
);

uiTest("a page that invents where it was is told to load again", async (world) => {
  await using page = await LivePage.open(world, "*", "invented");
  assert.equal((await page.next())?.data, "reset");
});

uiTest("hundreds of live pages share one watch of the event log", async (world) => {
  const pages = await Promise.all(
    Array.from({ length: 500 }, () => LivePage.open(world, "environments/dev")),
  );
  for (const page of pages) assert.equal((await page.next())?.event, "ready");
  assert.equal(world.dashboard.livePages, 500);
  await world.createEnvironment("dev");
  for (const page of pages) assert.equal((await page.next())?.event, "changed");
  assert.equal(watches(world), 1);
  for (const page of pages) await page[Symbol.asyncDispose]();
  assert.equal(world.dashboard.livePages, 0);
});

uiTest("live pages end when the dashboard closes, so that it can stop", async (world) => {
  await using page = await LivePage.open(world, "*");
  await page.next();
  world.dashboard.close();
  assert.equal(await page.next(), undefined);
});

uiTest("a live page ends when its viewer may not watch", async (world) => {
  world.answer = failing(new ConnectError("no", Code.PermissionDenied), "WatchEvents");
  await using page = await LivePage.open(world, "*");
  assert.equal(await page.next(), undefined);
});

uiTest("a live page ends when no server can be reached at its start", async (world) => {
  world.answer = failing(away(), "WatchEvents");
  await using page = await LivePage.open(world, "*");
  assert.equal(await page.next(), undefined, "the browser connects again");
});
