import assert from "node:assert/strict";
import { openMemoryStore } from "@mpc/storage/memory";
import fc from "fast-check";
import { anEnvironment } from "../../tests/fakes/documents.ts";
import { SortedIndex } from "./sorted_index.ts";

Deno.test("SortedIndex: a walk equals that of a sorted array, from any value, after any changes", () =>
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 30 })),
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 30 }))),
      fc.integer({ min: -1, max: 31 }),
      fc.boolean(),
      (values, changes, start, inclusive) => {
        const index = new SortedIndex(values, (a, b) => a - b);
        const kept = new Set(values);
        for (const [add, value] of changes) {
          if (add && !kept.has(value)) index.add(value);
          if (!add) index.remove(value);
          if (add) kept.add(value);
          else kept.delete(value);
        }
        const sorted = [...kept].sort((a, b) => a - b);
        assert.deepEqual([...index.from(undefined, inclusive)], sorted);
        const after = sorted.filter((value) => inclusive ? value >= start : value > start);
        assert.deepEqual([...index.from(start, inclusive)], after);
      },
    ),
  ));

Deno.test("SortedIndex: starting a walk and adding a value compare about log2(n) values", () => {
  let compared = 0;
  const values = Array.from({ length: 100_000 }, (_, index) => 2 * index);
  const index = new SortedIndex(values, (a, b) => {
    compared++;
    return a - b;
  });
  compared = 0;
  assert.equal(index.from(123_456, false).next().value, 123_458);
  index.add(123_457);
  index.remove(123_457);
  assert.ok(compared > 0 && compared <= 3 * 20, `${compared} comparisons`);
});

Deno.test("memory: a page reads only its own documents, in any sort order that was used before", async () => {
  const store = openMemoryStore();
  for (let index = 0; index < 2_000; index++) {
    const id = `e-${String(index).padStart(4, "0")}`;
    await store.environments.create(anEnvironment(id, { createTime: index % 7 }));
  }
  // The store reads the value of the filter once for each document that it checks.
  let looks = 0;
  const filter = {
    op: "=" as const,
    path: ["state"],
    get value() {
      looks++;
      return "READY";
    },
  };
  // The store reads the path of a key once for each document that it sorts.
  let sorted = 0;
  const byTime = {
    descending: true,
    get path() {
      sorted++;
      return ["createTime"];
    },
  };
  const work = async (query: Parameters<typeof store.environments.list>[0]) => {
    [looks, sorted] = [0, 0];
    const page = await store.environments.list({ ...query, filter });
    assert.equal(page.items.length, query.limit);
    return { looks, sorted, next: page.next! };
  };
  const prefix = "environments/";
  const first = await work({ prefix, limit: 1 });
  assert.equal(first.looks, 2, "one document, and one more to see whether there are more");
  const middle = { keys: [], name: "environments/e-1000" };
  assert.equal((await work({ prefix, limit: 5, after: middle })).looks, 6);
  assert.equal((await work({ prefix: "environments/e-15", limit: 5 })).looks, 6);
  const built = await work({ prefix, limit: 1, orderBy: [byTime] });
  assert.ok(built.sorted >= 2_000, "sorted at the first use of the order");
  const again = await work({ prefix, limit: 1, orderBy: [byTime], after: built.next });
  assert.equal(again.looks, 2);
  assert.ok(again.sorted < 20, `${again.sorted} documents sorted again`);
  await store.environments.create(anEnvironment("new"));
  assert.ok((await work({ prefix, limit: 1, orderBy: [byTime] })).sorted < 20, "kept sorted");
  await store.close();
});

Deno.test("memory: a page of a prefix in another order looks at the prefix's documents alone", async () => {
  const store = openMemoryStore();
  for (let index = 0; index < 2_000; index++) {
    await store.environments.create(
      anEnvironment(`e-${index % 500}-${index}`, { uid: `${index}` }),
    );
  }
  let looks = 0;
  const byUid = {
    descending: true,
    get path() {
      looks++;
      return ["uid"];
    },
  };
  const uidsOf = async (prefix: string) => {
    looks = 0;
    const page = await store.environments.list({ prefix, limit: 10, orderBy: [byUid] });
    return page.items.map(({ value }) => value.uid);
  };
  assert.deepEqual(await uidsOf("environments/e-17-"), ["517", "17", "1517", "1017"]);
  assert.ok(looks < 40, `the keys of four documents, not of 2,000: ${looks}`);
  assert.deepEqual(await uidsOf("environments/nobody"), []);
  assert.ok(looks < 10, `${looks}`);
  await store.close();
});
