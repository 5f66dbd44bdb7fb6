import assert from "node:assert/strict";
import { join } from "node:path";
import type { Filter } from "@mpc/domain";
import { openMemoryStore } from "@mpc/storage/memory";
import { openSqliteStore } from "@mpc/storage/sqlite";
import fc from "fast-check";
import { anEnvironment } from "../../tests/fakes/documents.ts";
import { withFolder } from "../../tests/servers/with_folder.ts";

const comparators = ["=", "!=", "<", "<=", ">", ">=", ":"] as const;

/** Comparisons as the parser makes them: a field is compared with values of its type. */
const comparison: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    op: fc.constantFrom(...comparators),
    path: fc.constantFrom(["state"], ["labels", "a/b"], ["labels", "team"], ["nothing"]),
    value: fc.constantFrom("READY", "R*", "*Y", "*EAD*", "*", "web", "é", "\u{1f600}", "", "a"),
  }),
  fc.record({
    op: fc.constantFrom(...comparators),
    path: fc.constantFrom(["generation"], ["expireTime"]),
    value: fc.integer({ min: -2, max: 3 }),
  }),
  fc.record({
    op: fc.constantFrom("=" as const, "!=" as const),
    path: fc.constant(["deletionProtection"]),
    value: fc.boolean(),
  }),
  fc.record({
    op: fc.constant(":" as const),
    path: fc.constantFrom(["labels"], ["expireTime"], ["conditions"]),
    value: fc.constantFrom("*", "team", "é"),
  }),
);

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    comparison,
    fc.record({
      op: fc.constantFrom("and" as const, "or" as const),
      terms: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ op: fc.constant("not" as const), term: tie("filter") }),
  ),
}));

const documents = fc.array(
  fc.record({
    state: fc.constantFrom("READY" as const, "DELETING" as const),
    generation: fc.integer({ min: -2, max: 3 }),
    deletionProtection: fc.boolean(),
    expireTime: fc.option(fc.integer({ min: 0, max: 3 })),
    labels: fc.dictionary(
      fc.constantFrom("team", "a/b", "é"),
      fc.constantFrom("web", "é", "\u{1f600}", "\ufffd", ""),
    ),
  }),
  { maxLength: 6 },
);

Deno.test("sqlite: filters and orders mean what they mean in memory", () =>
  withFolder(async (folder) => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(documents, filter, fc.boolean(), async (documents, filter, descending) => {
        const stores = [
          openMemoryStore(),
          openSqliteStore({ path: join(folder, `${run++}.db`) }),
        ];
        const lists = [];
        for (const store of stores) {
          await Promise.all(
            documents.map((document, index) =>
              store.environments.create(anEnvironment(`e-${index}`, document))
            ),
          );
          for (const path of [["labels", "team"], ["expireTime"]]) {
            const orderBy = [{ path, descending }];
            const page = await store.environments.list({ filter, orderBy, limit: 3 });
            const rest = page.next
              ? await store.environments.list({ filter, orderBy, limit: 9, after: page.next })
              : { items: [] };
            lists.push([...page.items, ...rest.items].map(({ value }) => value.name));
          }
          await store.close();
        }
        assert.deepEqual(lists.slice(2), lists.slice(0, 2));
      }),
      { numRuns: 60 },
    );
  }));
