/**
 * A server that is paused, stopped and started under load, and connections that are cut in the
 * middle of a reply: calls succeed or fail within their deadlines, and what was acknowledged is there.
 */
import assert from "node:assert/strict";
import { isMpcError } from "@mpc/domain";
import type { WriteOptions } from "@mpc/storage";
import { type MongoStore, openMongoStore } from "@mpc/storage/mongodb";
import { anEnvironment, anEvent } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { type MongodbServer, withMongodbServer } from "../servers/mongodb_server.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startTcpProxy } from "../servers/tcp_proxy.ts";

/** The deadline of each call; a call may end this much later on a busy machine. */
const DEADLINE_MS = 3_000;
const SLACK_MS = 2_000;

const WRITERS = 8;

/** What writers have asked for and what they were told. The event of a write has its name. */
class Load {
  readonly acknowledged = new Set<string>();
  readonly unknown = new Set<string>();
  /** The ids of the documents. */
  readonly ids = new Set<string>();
  longestMs = 0;
  readonly #store: MongoStore;
  #stopped = false;
  #failure: unknown;
  readonly #writers: readonly Promise<void>[];

  constructor(store: MongoStore) {
    this.#store = store;
    this.#writers = Array.from({ length: WRITERS }, (_, writer) => this.#write(writer));
  }

  /** Waits until this many more writes were acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.size + count;
    const end = performance.now() + 180_000;
    while (this.acknowledged.size < wanted) {
      if (this.#failure !== undefined) throw this.#failure;
      assert.ok(performance.now() < end, `${this.acknowledged.size} of ${wanted} writes`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#writers);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #write(writer: number): Promise<void> {
    const { environments } = this.#store;
    for (let index = 0; !this.#stopped; index++) {
      const id = `e-${writer}-${index}`;
      const value = anEnvironment(id);
      const changed = { ...value, labels: CHANGED };
      this.ids.add(id);
      // What a later write finds is only known if the one before was acknowledged.
      await this.#call(created(id), (options) => environments.create(value, options)) &&
        await this.#call(replaced(id), (options) => environments.replace(changed, 1, options)) &&
        index % 2 === 1 &&
        await this.#call(deleted(id), (options) => environments.delete(value.name, 2, options));
    }
  }

  /** Makes a write. @returns whether it was acknowledged */
  async #call(name: string, write: (options: WriteOptions) => Promise<unknown>): Promise<boolean> {
    const began = performance.now();
    try {
      await write({ events: [anEvent(name)], signal: AbortSignal.timeout(DEADLINE_MS) });
      this.acknowledged.add(name);
      return true;
    } catch (error) {
      this.unknown.add(name);
      if (!isMpcError(error, "UNAVAILABLE", "CANCELLED")) {
        this.#failure ??= error;
        this.#stopped = true;
      }
      return false;
    } finally {
      this.longestMs = Math.max(this.longestMs, performance.now() - began);
    }
  }
}

const CHANGED = { changed: "yes" };
const created = (id: string) => `${id} created`;
const replaced = (id: string) => `${id} replaced`;
const deleted = (id: string) => `${id} deleted`;

/** Asserts that acknowledged writes are there with their events, and no write is there in part. */
async function assertKept({ uri }: MongodbServer, load: Load): Promise<void> {
  const store = await openMongoStore({ address: `${uri}mpc` });
  try {
    const head = await store.events.head();
    const logged = (await store.events.read(0, 1_000_000)).map(({ message }) => message);
    assert.equal(logged.length, head);
    assert.equal(new Set(logged).size, logged.length, "no event is there twice");
    const at = new Map(logged.map((message, index) => [message, index]));
    for (const name of load.acknowledged) assert.ok(at.has(name), `the event of ${name}`);
    for (const id of load.ids) {
      const events = [created(id), replaced(id), deleted(id)].flatMap((name) => at.get(name) ?? []);
      assert.deepEqual(events, events.toSorted((one, other) => one - other), `the order of ${id}`);
      const found = await store.environments.get(`environments/${id}`);
      assert.equal(found !== undefined, at.has(created(id)) && !at.has(deleted(id)), id);
      if (!found) continue;
      assert.equal(found.version, events.length, id);
      assert.deepEqual(found.value.labels, at.has(replaced(id)) ? CHANGED : {}, id);
    }
    assert.ok(load.longestMs < DEADLINE_MS + SLACK_MS, `a call took ${load.longestMs} ms`);
  } finally {
    await store.close();
  }
}

function testUnderLoad(
  title: string,
  use: (server: MongodbServer, load: Load, store: MongoStore) => Promise<void>,
): void {
  Deno.test({
    name: `mongodb: ${title}`,
    ...NO_SANITIZERS,
    fn: () =>
      withMongodbServer(async (server) => {
        const store = await openMongoStore({ address: `${server.uri}mpc` });
        const load = new Load(store);
        try {
          await load.more(50);
          await use(server, load, store);
        } finally {
          await load.stop();
          await store.close();
        }
        await assertKept(server, load);
        console.log(`${load.acknowledged.size} writes, ${load.unknown.size} unknown`);
      }),
  });
}

testUnderLoad("a server that is paused under load", async (server, load) => {
  for (const pauseMs of [300, DEADLINE_MS + 1_000]) {
    Deno.kill(server.process.pid, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    Deno.kill(server.process.pid, "SIGCONT");
    await load.more(50);
  }
});

testUnderLoad("a server that is stopped and started under load", async (server, load, store) => {
  for (let round = 0; round < 2; round++) {
    await server.stop();
    const signal = AbortSignal.timeout(500);
    await rejectsWith(
      store.environments.get("environments/none", { signal }),
      "CANCELLED",
      "ABORTED_BY_CALLER",
    );
    await server.start();
    await load.more(50);
  }
});

for (
  const [how, title] of [
    ["close", "connections that are cut in the middle of a reply"],
    ["end", "connections whose server ends its side in the middle of a reply"],
  ] as const
) {
  Deno.test({
    name: `mongodb: ${title}`,
    ...NO_SANITIZERS,
    fn: () =>
      withMongodbServer(async (server) => {
        await using proxy = startTcpProxy(server.port);
        const store = await openMongoStore({ address: `mongodb://127.0.0.1:${proxy.port}/mpc` });
        const load = new Load(store);
        try {
          await load.more(50);
          proxy.cutWithin(2_000, how);
          // The driver pauses for half a second after each cut.
          while (proxy.cuts < 12) await load.more(5);
          proxy.cutWithin(null);
          await load.more(50);
        } finally {
          await load.stop();
          await store.close();
        }
        await assertKept(server, load);
        console.log(
          `${load.acknowledged.size} writes, ${load.unknown.size} unknown, ${proxy.cuts} cuts`,
        );
      }),
  });
}
