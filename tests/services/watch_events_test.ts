/** A watch sends existing resources, then events: none is missing, none is repeated. */
import assert from "node:assert/strict";
import type { Environment } from "@mpc/domain";
import { environmentEvent, type WatchedEvent, watchEvents, workloadEvent } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { anEnvironment, anEvent, aWorkload } from "../fakes/documents.ts";
import { settle } from "../fakes/fake_clock.ts";
import { aCaller } from "../fakes/a_caller.ts";
import { withPlatform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";

const NAME = "environments/dev";
const ALL = { target: "", kinds: ["environment"], resumeToken: "", skipExisting: false };

/** Writes an environment's next version with an event. */
async function write(store: Store, label: string): Promise<void> {
  const facts = {
    message: label,
    reason: "Ready" as const,
    operation: null,
    actor: "ann",
    time: 0,
  };
  const before = await store.environments.get(NAME);
  const value: Environment = anEnvironment("dev", { labels: { version: label } });
  const version = (before?.version ?? 0) + 1;
  const events = [environmentEvent({ value, version }, facts)];
  if (before) await store.environments.replace(value, before.version, { events });
  else await store.environments.create(value, { events });
}

/** A store in which something is written right before, or after, the environments are listed. */
function writtenWhenListed(
  write: (store: Store) => Promise<void>,
  when: "before" | "after" = "before",
): Store {
  const store = openMemoryStore();
  const { environments } = store;
  let written = false;
  return {
    ...store,
    environments: {
      create: (...call) => environments.create(...call),
      get: (...call) => environments.get(...call),
      replace: (...call) => environments.replace(...call),
      delete: (...call) => environments.delete(...call),
      count: (...call) => environments.count(...call),
      async list(query) {
        const now = !written && query.filter === undefined;
        written ||= now;
        if (now && when === "before") await write(store);
        const page = await environments.list(query);
        if (now && when === "after") await write(store);
        return page;
      },
    },
  };
}

/** What a watch has sent until nothing more comes, in short. */
async function toldBy(
  store: Store,
  request: Partial<typeof ALL>,
  during: () => Promise<void> = () => Promise.resolve(),
): Promise<readonly string[]> {
  return (await watched(store, request, during)).map(inShort);
}

/** The token of a watch at the log's head. */
async function tokenOf(store: Store): Promise<string> {
  return (await watched(store, { skipExisting: true })).at(-1)!.token;
}

async function watched(
  store: Store,
  request: Partial<typeof ALL>,
  during: () => Promise<void> = () => Promise.resolve(),
): Promise<readonly WatchedEvent[]> {
  const told: WatchedEvent[] = [];
  await withPlatform(async (platform) => {
    await platform.crash();
    const stop = new AbortController();
    const caller = aCaller({ signal: stop.signal });
    const watching = (async () => {
      for await (const batch of watchEvents(platform.deps, caller, { ...ALL, ...request })) {
        told.push(...batch);
      }
    })();
    // A rejection is for the last line here; without a handler until then it would end the process.
    watching.catch(() => {});
    await settle(20);
    await during();
    await settle(20);
    stop.abort();
    await watching;
    // Stays open for the next watch.
  }, { store: { ...store, close: () => Promise.resolve() } });
  return told;
}

function inShort(told: WatchedEvent): string {
  if (told.type === "existing") return `existing ${told.snapshot.version}`;
  if (told.type === "synced") return "synced";
  return `${told.event.type} ${told.event.resource?.version ?? told.event.message}`;
}

Deno.test("a change between the log's head and the list is sent once, and so is the next one", async () => {
  const store = writtenWhenListed((store) => write(store, "2"));
  await write(store, "1");
  const told = await toldBy(store, {}, () => write(store, "3"));
  assert.deepEqual(told, ["existing 2", "synced", "UPDATED 3"]);
});

/** Deletes the environment in its first version. */
async function remove(store: Store): Promise<void> {
  const { value } = (await store.environments.get(NAME))!;
  const facts = { message: "", reason: "Gone" as const, operation: null, actor: "ann", time: 0 };
  const gone = environmentEvent({ value, version: 1 }, { ...facts, type: "DELETED" });
  await store.environments.delete(NAME, 1, { events: [gone] });
}

Deno.test("the deletion of a resource that was sent as existing is sent", async () => {
  const store = openMemoryStore();
  await write(store, "1");
  const told = await toldBy(store, {}, () => remove(store));
  assert.deepEqual(told, ["existing 1", "synced", "DELETED 1"]);
});

Deno.test("a change right after the list is sent", async () => {
  const store = writtenWhenListed((store) => write(store, "2"), "after");
  await write(store, "1");
  assert.deepEqual(await toldBy(store, {}), ["existing 1", "synced", "UPDATED 2"]);
});

Deno.test("a deletion right after the list is sent", async () => {
  const store = writtenWhenListed(remove, "after");
  await write(store, "1");
  assert.deepEqual(await toldBy(store, {}), ["existing 1", "synced", "DELETED 1"]);
});

Deno.test("a watch that resumes receives each event after its token once, and no existing resources", async () => {
  const store = openMemoryStore();
  await write(store, "1");
  const resumeToken = await tokenOf(store);
  await write(store, "2");
  await write(store, "3");
  const told = await toldBy(store, { resumeToken }, () => write(store, "4"));
  assert.deepEqual(told, ["synced", "UPDATED 2", "UPDATED 3", "UPDATED 4"]);
});

Deno.test("a watch that skips existing resources receives only new events", async () => {
  const store = openMemoryStore();
  await write(store, "1");
  const told = await toldBy(store, { skipExisting: true }, () => write(store, "2"));
  assert.deepEqual(told, ["synced", "UPDATED 2"]);
});

Deno.test("a watch of one environment receives nothing about another whose name begins the same", async () => {
  const store = openMemoryStore();
  await store.environments.create(anEnvironment("dev2"));
  await write(store, "1");
  const told = await toldBy(store, { target: NAME, kinds: [] }, async () => {
    await store.events.append([
      anEvent("other", { target: "environments/dev2" }),
      anEvent("own", { target: NAME }),
      anEvent("below", { target: `${NAME}/workloads/web` }),
    ]);
  });
  assert.deepEqual(told, ["existing 1", "synced", "UPDATED own", "UPDATED below"]);
});

Deno.test("after 1000 events that a watch does not see, it gets a mark with a newer token", async () => {
  const store = openMemoryStore();
  const others = (count: number) =>
    store.events.append(
      Array.from({ length: count }, () => anEvent("other", { target: "environments/other" })),
    );
  const told = await watched(store, { target: NAME }, async () => {
    await others(999);
    await settle(20);
    await store.events.append([anEvent("own", { target: NAME })]);
    await others(1_000);
  });
  assert.deepEqual(told.map(inShort), ["synced", "UPDATED own", "synced"]);
  assert.equal(told.at(-1)?.token, await tokenOf(store));
});

Deno.test("a token ahead of the log is rejected, the token of its head is not", async () => {
  const store = openMemoryStore();
  await write(store, "1");
  const resumeToken = await tokenOf(store);
  assert.deepEqual(await toldBy(store, { resumeToken }), ["synced"]);
  const ahead = toldBy(openMemoryStore(), { resumeToken });
  await rejectsWith(ahead, "OUT_OF_RANGE", "EVENTS_UNKNOWN");
});

Deno.test("a watch of environments receives nothing about a workload", async () => {
  const store = openMemoryStore();
  const told = await toldBy(store, {}, async () => {
    const web = aWorkload("dev", "web");
    const facts = { message: "", reason: "Ready" as const, operation: null, actor: "ann", time: 0 };
    await store.workloads.create(web, {
      events: [workloadEvent({ value: web, version: 1 }, facts)],
    });
    await write(store, "1");
  });
  assert.deepEqual(told, ["synced", "UPDATED 1"]);
});
