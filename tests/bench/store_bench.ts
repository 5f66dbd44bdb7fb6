import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@mpc/storage";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { anEnvironment, anOperation } from "../fakes/documents.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, timed } from "./measure.ts";

/** One page of many environments, against one page of few. */
export async function run(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const few = openSqliteStore({ path: join(directory, "few.db") });
  const many = openSqliteStore({ path: join(directory, "many.db") });
  try {
    await fill(few, 1_000);
    await fill(many, 100_000);
    const newest = [{ path: ["createTime"], descending: true }];
    const after = { keys: [], name: "environments/e-00000500" };
    const middle = { keys: [], name: "environments/e-00050000" };
    return [
      await compare(
        "a page of 50 of 100,000 environments",
        () => few.environments.list({ limit: 50, after }),
        () => many.environments.list({ limit: 50, after: middle }),
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
