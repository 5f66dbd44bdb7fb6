import { MongoClient } from "mongodb";
import { type MongoStore, openMongoStore } from "@mpc/storage/mongodb";
import { CODECS, type MongoDocument } from "../../storage/mongodb/codec.ts";
import { anEnvironment, anEvent, anOperation } from "../fakes/documents.ts";
import { withMongodbServer } from "../servers/mongodb_server.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, rates, timed } from "./measure.ts";

/** How many documents take turns, so that writes rarely meet. */
const DOCUMENTS = 64;
const IN_FLIGHT = 8;

/**
 * A store on MongoDB compared with the bare driver on the same server. Pages of many documents are
 * measured only on the server of `MPC_TEST_MONGODB_URI`: mongo-java-server has no secondary indexes.
 */
export async function run(): Promise<BenchRow[]> {
  const given = Deno.env.get("MPC_TEST_MONGODB_URI");
  if (given === undefined) return await withMongodbServer(({ uri }) => measure(uri));
  return [...await measure(given), ...await pages(given)];
}

async function measure(uri: string): Promise<BenchRow[]> {
  const address = addressOf(uri);
  const store = await openMongoStore({ address });
  const reader = await openMongoStore({ address });
  const client = new MongoClient(address);
  try {
    return [...await calls(store, client), await latency(store, reader)];
  } finally {
    await client.db().dropDatabase();
    await client.close();
    await store.close();
    await reader.close();
  }
}

/** A database of its own on a server. */
function addressOf(uri: string): string {
  const address = new URL(uri);
  address.pathname = `/mpc_bench_${crypto.randomUUID().slice(0, 8)}`;
  return address.href;
}

async function calls(store: MongoStore, client: MongoClient): Promise<BenchRow[]> {
  const bare = client.db().collection<MongoDocument>("bare");
  const values = Array.from({ length: DOCUMENTS }, (_, index) => anEnvironment(`e-${index}`));
  for (const value of values) {
    const fields = CODECS.environments.encode(value);
    await bare.insertOne({ _id: value.name, version: 1, ...fields } as MongoDocument);
    await store.environments.create(value);
  }
  const turn = (each: (value: typeof values[number]) => Promise<unknown>) => {
    const free = [...values];
    // Each document is written by one call at a time, so that no call loses.
    return async () => {
      const value = free.shift()!;
      await each(value);
      free.push(value);
    };
  };
  const versions = new Map(values.map(({ name }) => [name, { store: 1, bare: 1 }]));
  const replace = (events: boolean) =>
    turn(async (value) => {
      const version = versions.get(value.name)!;
      const options = events ? { events: [anEvent("written")] } : {};
      await store.environments.replace(value, version.store++, options);
    });
  const found = await rates({
    "bare read": turn(({ name }) => bare.findOne({ _id: name })),
    "read": turn(({ name }) => store.environments.get(name)),
    "bare swap": turn(async (value) => {
      const version = versions.get(value.name)!;
      const before = version.bare++;
      await bare.findOneAndUpdate(
        { _id: value.name, version: before },
        { $set: { ...CODECS.environments.encode(value), version: before + 1 } },
        { projection: { _id: 1 } },
      );
    }),
    "swap": replace(false),
    "swap with an event": replace(true),
  }, { ms: 1_000, inFlight: IN_FLIGHT, rounds: 5 });
  const row = (name: string, value: number, reference: string, min: number): BenchRow => ({
    name: `${name} on MongoDB`,
    value,
    unit: "/s",
    reference: "the bare driver",
    ratio: value / found[reference]!,
    target: { min },
  });
  return [
    row("point reads", found["read"]!, "bare read", 0.85),
    row("compare-and-swaps", found["swap"]!, "bare swap", 0.85),
    row("writes with one event", found["swap with an event"]!, "bare swap", 0.5),
  ];
}

/** The time from the end of a write to its event at another handle. */
async function latency(writer: MongoStore, reader: MongoStore): Promise<BenchRow> {
  const stop = new AbortController();
  const head = await reader.events.head();
  const events = reader.events.tail(head, stop.signal)[Symbol.asyncIterator]();
  const took: number[] = [];
  for (let round = 0; round < 200; round++) {
    const seen = events.next();
    await writer.events.append([anEvent(String(round))]);
    took.push(await timed(() => seen));
  }
  stop.abort();
  return {
    name: "an event seen by a watcher at another process, on MongoDB",
    value: quantile(took),
    unit: "ms",
    target: { max: 25 },
    note: `p99 ${quantile(took, 0.99).toFixed(1)} ms`,
  };
}

/** One page of a filtered list of many operations, and the memory of listing all of them. */
async function pages(uri: string): Promise<BenchRow[]> {
  const [few, many] = [await filled(uri, 10_000), await filled(uri, 1_000_000)];
  const query = {
    limit: 50,
    filter: {
      op: "and" as const,
      terms: [
        { op: "=" as const, path: ["state"], value: "SUCCEEDED" },
        { op: "=" as const, path: ["target"], value: "environments/dev" },
      ],
    },
    orderBy: [{ path: ["createTime"], descending: true }],
  };
  const took = { few: [] as number[], many: [] as number[] };
  for (let round = 0; round < 300; round++) {
    took.few.push(await timed(() => few.store.operations.list(query)));
    took.many.push(await timed(() => many.store.operations.list(query)));
  }
  const before = Deno.memoryUsage().rss;
  let most = before;
  let after = undefined;
  do {
    const page = await many.store.operations.list({ limit: 1_000, ...(after && { after }) });
    after = page.next ?? undefined;
    most = Math.max(most, Deno.memoryUsage().rss);
  } while (after);
  for (const { store, drop } of [few, many]) {
    await store.close();
    await drop();
  }
  return [{
    name: "a page of 50 of 1,000,000 operations on MongoDB",
    value: quantile(took.many),
    unit: "ms",
    reference: "50 of 10,000",
    ratio: quantile(took.many) / quantile(took.few),
    target: { max: 1.5 },
  }, {
    name: "memory added by listing 1,000,000 operations on MongoDB",
    value: (most - before) / 2 ** 20,
    unit: "MB",
    target: { max: 100 },
  }];
}

async function filled(uri: string, count: number) {
  const address = addressOf(uri);
  const store = await openMongoStore({ address });
  for (let start = 0; start < count; start += 1_000) {
    await Promise.all(Array.from({ length: 1_000 }, (_, offset) => {
      const at = start + offset;
      const target = `environments/${at % 10 === 0 ? "dev" : "prod"}`;
      const state = at % 3 === 0 ? "FAILED" as const : "SUCCEEDED" as const;
      return store.operations.create(anOperation(`o-${at}`, { createTime: at, state, target }));
    }));
  }
  return {
    store,
    async drop() {
      const client = new MongoClient(address);
      await client.db().dropDatabase();
      await client.close();
    },
  };
}
