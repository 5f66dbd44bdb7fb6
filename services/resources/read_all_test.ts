import assert from "node:assert/strict";
import { idOf } from "@mpc/domain";
import { openMemoryStore } from "@mpc/storage/memory";
import { anEnvironment } from "../../tests/fakes/documents.ts";
import { pagesOf } from "./read_all.ts";

Deno.test("pagesOf() reads every page once, and no page that is not needed", async () => {
  const { environments } = openMemoryStore();
  for (const id of ["a", "b", "c", "d", "e"]) await environments.create(anEnvironment(id));
  let reads = 0;
  const counted: Pick<typeof environments, "list"> = {
    list(query) {
      assert.ok(++reads <= 4, "it ends");
      return environments.list(query);
    },
  };
  const pages = await Array.fromAsync(pagesOf(counted, { limit: 2 }));
  assert.deepEqual(pages.map((page) => page.map(({ value }) => idOf(value.name))), [
    ["a", "b"],
    ["c", "d"],
    ["e"],
  ]);
  reads = 0;
  for await (const page of pagesOf(counted, { limit: 2 })) {
    assert.equal(page.length, 2);
    break;
  }
  assert.equal(reads, 1);
});
