import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@mpc/storage";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { anEnvironment, anEvent, anOperation } from "../fakes/documents.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, timed } from "./measure.ts";

/**
 * Pages of many documents compared with pages of few, and the delay of commits in a shared store.
 */
export async function run(): Promise<BenchRow[]> {
  return [...await pages(), await sharedCommits()];
}

async function pages(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const few = openSqliteStore({ path: join(directory, "few.db") });
  const many = openSqliteStore({ path: join(directory, "many.db") });
  try {
    await fill(few, 1_000);
    await fill(many, 100_000);
    const newest = [{ path: ["createTime"], descending: true }];
    const prefix = "environments/";
    const after = { keys: [], name: "environments/e-00000500" };
    const middle = { keys: [], name: "environments/e-00050000" };
    return [
      await compare(
        "a page of 50 of 100,000 environments",
        () => few.environments.list({ limit: 50, prefix, after }),
        () => many.environments.list({ limit: 50, prefix, after: middle }),
      ),
      await compare(
        "the 50 newest of 100,000 operations",
        () => few.operations.list({ limit: 50, orderBy: newest }),
        () => many.operations.list({ limit: 50, orderBy: newest }),
      ),
    ];
  } finally {
    await few.close();
    await many.close();
    await rm(directory, { recursive: true });
  }
}

/** The delay from the end of a write to its event at another handle of the same file. */
async function sharedCommits(): Promise<BenchRow> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const path = join(directory, "mpc.db");
  const writer = openSqliteStore({ path, shared: true });
  const reader = openSqliteStore({ path, shared: true });
  const stop = new AbortController();
  try {
    const took: number[] = [];
    const events = reader.events.tail(0, stop.signal)[Symbol.asyncIterator]();
    for (let round = 0; round < 200; round++) {
      const seen = events.next();
      await writer.events.append([anEvent(String(round))]);
      took.push(await timed(() => seen));
    }
    return {
      name: "a commit seen by another process that shares the store",
      value: quantile(took),
      unit: "ms",
      target: { max: 20 },
      note: `p99 ${quantile(took, 0.99).toFixed(1)} ms`,
    };
  } finally {
    stop.abort();
    await writer.close();
    await reader.close();
    await rm(directory, { recursive: true });
  }
}

async function compare(
  name: string,
  small: () => Promise<unknown>,
  large: () => Promise<unknown>,
): Promise<BenchRow> {
  const took = { small: [] as number[], large: [] as number[] };
  for (let round = 0; round < 300; round++) {
    took.small.push(await timed(small));
    took.large.push(await timed(large));
  }
  const value = quantile(took.large);
  return {
    name,
    value,
    unit: "ms",
    reference: "50 of 1,000",
    ratio: value / quantile(took.small),
    target: { max: 1.5 },
  };
}

async function fill(store: Store, count: number): Promise<void> {
  for (let start = 0; start < count; start += 1_000) {
    await Promise.all(Array.from({ length: 1_000 }, async (_, offset) => {
      const id = `e-${String(start + offset).padStart(8, "0")}`;
      const createTime = Date.UTC(2030, 0, 1) + start + offset;
      await store.environments.create(anEnvironment(id, { createTime }));
      await store.operations.create(anOperation(id, { createTime }));
    }));
  }
}
