import assert from "node:assert/strict";
import {
  type Environment,
  ENVIRONMENT_FIELDS,
  type Filter,
  isTerminal,
  LIST_ORDERS,
  matches,
  OPERATION_FIELDS,
  OPERATION_STATES,
  parseFilter,
} from "@mpc/domain";
import type { Cursor, ListQuery, Store, Stored } from "@mpc/storage";
import fc from "fast-check";
import { compareCursors, cursorOf } from "../../storage/shared/order.ts";
import { anEnvironment, anOperation } from "../fakes/documents.ts";
import type { StoreCase, StoreHarness } from "./store_case.ts";

/** A label key with dots and a slash, as tools set it. */
const DOTTED = "app.kubernetes.io/name";

const FILTERED: readonly Environment[] = [
  anEnvironment("a", {
    generation: 1,
    deletionProtection: true,
    labels: { team: "web", [DOTTED]: "shop", "a.b": "1", "c": "2" },
  }),
  anEnvironment("b", { state: "DELETING", generation: 2, expireTime: 5, labels: { team: "ops" } }),
  anEnvironment("c", { generation: 3, expireTime: 7, labels: { app: "shop", "c.d/e": "3" } }),
];

const is = (path: string[], op: "=" | "!=" | "<" | "<=" | ">" | ">=" | ":", value: unknown) =>
  ({ op, path, value }) as Filter;

/** Filters, and the ids of the documents above that match them. */
const FILTERS: readonly (readonly [string, Filter, string])[] = [
  ["equal", is(["state"], "=", "READY"), "a c"],
  ["not equal", is(["state"], "!=", "READY"), "b"],
  ["a start", is(["state"], "=", "R*"), "a c"],
  ["an end", is(["state"], "=", "*ING"), "b"],
  ["a middle", is(["state"], "=", "*EAD*"), "a c"],
  ["present", is(["labels", "team"], "=", "*"), "a b"],
  ["a missing value is unequal", is(["labels", "team"], "!=", "web"), "b c"],
  ["a missing value has another beginning", is(["labels", "team"], "!=", "w*"), "b c"],
  ["a missing value has another end", is(["labels", "team"], "!=", "*b"), "b c"],
  ["a missing value has another middle", is(["labels", "team"], "!=", "*e*"), "b c"],
  ["not, of a missing value", { op: "not", term: is(["labels", "team"], "=", "w*") }, "b c"],
  ["a missing value passes no comparison", is(["expireTime"], "<", 100), "b c"],
  ["less", is(["expireTime"], "<", 7), "b"],
  ["at most", is(["expireTime"], "<=", 7), "b c"],
  ["greater", is(["generation"], ">", 2), "c"],
  ["at least", is(["generation"], ">=", 2), "b c"],
  ["null", is(["expireTime"], "=", null), "a"],
  ["a boolean", is(["deletionProtection"], "=", true), "a"],
  ["a key with dots and a slash", is(["labels", DOTTED], "=", "shop"), "a"],
  ["such a key, unequal", is(["labels", DOTTED], "!=", "shop"), "b c"],
  ["such a key, present", is(["labels", DOTTED], ":", "*"), "a"],
  ["such a key in a map", is(["labels"], ":", DOTTED), "a"],
  ["a part of such a key is no key", is(["labels"], ":", "a"), ""],
  ["a key with a dot", is(["labels", "a.b"], "=", "1"), "a"],
  ["a key with a dot is no path", is(["labels", "c"], "=", "*"), "a"],
  ["a path is no key with a dot", is(["labels", "c", "d/e"], "=", "3"), ""],
  ["a map with entries", is(["labels"], ":", "*"), "a b c"],
  ["a list without elements", is(["conditions"], ":", "*"), ""],
  ["a part of a string", is(["labels", "team"], ":", "p"), "b"],
  ["not", { op: "not", term: is(["expireTime"], "<", 6) }, "a c"],
  ["and", {
    op: "and",
    terms: [is(["state"], "=", "READY"), is(["generation"], ">", 1)],
  }, "c"],
  ["or", { op: "or", terms: [is(["state"], "=", "DELETING"), is(["generation"], ">", 2)] }, "b c"],
];

/** The behaviour of every store with lists. */
export const LIST_CASES: Readonly<Record<string, StoreCase>> = {
  "list() pages in the order of names, with each document once": async ({ store }) => {
    for (const id of ["d", "a", "c", "b", "e"]) await store.environments.create(anEnvironment(id));
    const pages = await pagesOf(store, 2);
    assert.deepEqual(pages.map((page) => page.map(idOf)), [["a", "b"], ["c", "d"], ["e"]]);
  },
  "list() stays stable while others write": async ({ store }) => {
    const stable = Array.from({ length: 40 }, (_, index) => `s-${String(index).padStart(2, "0")}`);
    for (const id of stable) await store.environments.create(anEnvironment(id));
    const seen: string[] = [];
    let after: Cursor | undefined;
    for (let round = 0;; round++) {
      const page = await store.environments.list({ limit: 7, ...(after && { after }) });
      seen.push(...page.items.map(idOf));
      await store.environments.create(anEnvironment(`s-${round}x`));
      await store.environments.create(anEnvironment(`a-${round}`));
      if (!page.next) break;
      after = page.next;
    }
    const kept = seen.filter((id) => stable.includes(id));
    assert.deepEqual(
      kept,
      stable,
      "a document that exists all the time is listed exactly once, in order",
    );
  },
  "list() orders by keys, and names break ties": async ({ store }) => {
    const times = { a: 3, b: 1, c: 3, d: 2 };
    for (const [id, createTime] of Object.entries(times)) {
      await store.environments.create(anEnvironment(id, { createTime }));
    }
    const orderBy = [{ path: ["createTime"], descending: true }];
    assert.deepEqual((await pagesOf(store, 1, { orderBy })).flat().map(idOf), ["c", "a", "d", "b"]);
    const up = [{ path: ["createTime"], descending: false }];
    assert.deepEqual((await pagesOf(store, 3, { orderBy: up })).flat().map(idOf), [
      "b",
      "d",
      "a",
      "c",
    ]);
  },
  "list() orders missing values first, and pages over them": async ({ store }) => {
    const times = { a: 5, b: null, c: 1, d: null };
    for (const [id, expireTime] of Object.entries(times)) {
      await store.environments.create(anEnvironment(id, { expireTime }));
    }
    for (const descending of [false, true]) {
      const orderBy = [{ path: ["expireTime"], descending }];
      const ids = (await pagesOf(store, 1, { orderBy })).flat().map(idOf);
      assert.deepEqual(ids, descending ? ["a", "c", "d", "b"] : ["b", "d", "c", "a"]);
    }
  },
  "list() returns only names with the prefix": async ({ store }) => {
    for (const id of ["dev", "dev-2", "prod"]) await store.environments.create(anEnvironment(id));
    const page = await store.environments.list({ prefix: "environments/dev", limit: 10 });
    assert.deepEqual(page.items.map(idOf), ["dev", "dev-2"]);
    assert.equal(await store.environments.count({ prefix: "environments/dev" }), 2);
  },
  "list() says that there are more only if there are": async ({ store }) => {
    for (const id of ["a", "b", "c"]) await store.environments.create(anEnvironment(id));
    const orders = [[], [{ path: ["createTime"], descending: true }]];
    for (const orderBy of orders) {
      const next = [];
      for (const limit of [2, 3, 4]) {
        next.push((await store.environments.list({ limit, orderBy })).next !== null);
      }
      assert.deepEqual(next, [true, false, false], "of 3 documents, for limits of 2, 3 and 4");
    }
  },
  "list() lists documents with equal keys once each, whatever the pages": async ({ store }) => {
    const ids = ["a", "b", "c", "d", "e", "f", "g"];
    for (const [index, id] of ids.entries()) {
      const createTime = index % 2;
      const document = {
        state: index < 4 ? "DELETING" as const : "READY" as const,
        createTime,
        deletionProtection: createTime === 1,
      };
      await store.environments.create(anEnvironment(id, document));
    }
    for (const descending of [false, true]) {
      const orders = {
        "abcdefg": [{ path: ["expireTime"], descending }],
        "acegbdf": [{ path: ["deletionProtection"], descending }],
        "acbdegf": [{ path: ["state"], descending }, { path: ["createTime"], descending }],
      };
      for (const [order, orderBy] of Object.entries(orders)) {
        for (let limit = 1; limit <= ids.length; limit++) {
          const listed = (await pagesOf(store, limit, { orderBy })).flat().map(idOf);
          const expected = descending ? [...order].reverse() : [...order];
          assert.deepEqual(listed, expected, `pages of ${limit}`);
        }
      }
    }
  },
  "list() continues after a document that was deleted or changed in the meantime": async (
    { store },
  ) => {
    for (const id of ["a", "b", "c"]) await store.environments.create(anEnvironment(id));
    const { next } = await store.environments.list({ limit: 2 });
    await store.environments.delete("environments/b", 1);
    const rest = await store.environments.list({ limit: 2, after: next! });
    assert.deepEqual(rest.items.map(idOf), ["c"]);
    const orderBy = [{ path: ["updateTime"], descending: true }];
    const first = await store.environments.list({ limit: 1, orderBy });
    assert.deepEqual(first.items.map(idOf), ["c"]);
    await store.environments.replace(
      anEnvironment("a", { updateTime: Number.MAX_SAFE_INTEGER }),
      1,
    );
    const after = await store.environments.list({ limit: 1, orderBy, after: first.next! });
    assert.deepEqual(after.items, [], "what moved before the cursor is not listed");
    const anew = await store.environments.list({ limit: 1, orderBy });
    assert.deepEqual(anew.items.map(idOf), ["a"]);
  },
  "list() and count() filter, including by label keys with dots and slashes": async ({ store }) => {
    for (const environment of FILTERED) await store.environments.create(environment);
    for (const [title, filter, ids] of FILTERS) {
      const page = await store.environments.list({ filter, limit: 10 });
      assert.equal(page.items.map(idOf).join(" "), ids, title);
      assert.equal(await store.environments.count({ filter }), page.items.length, title);
    }
  },
  "list() finds a map without entries to be absent": async ({ store }) => {
    await store.environments.create(anEnvironment("a", { labels: {} }));
    await store.environments.create(anEnvironment("b", { labels: { team: "" } }));
    const rows = [["labels:*", "b"], ["NOT labels:*", "a"], ["labels.team:*", "b"]] as const;
    for (const [text, ids] of rows) {
      const page = await store.environments.list({ filter: parsed(text), limit: 10 });
      assert.equal(page.items.map(idOf).join(" "), ids, text);
    }
  },
  "list() finds operations that have ended": async ({ store }) => {
    for (const state of OPERATION_STATES) {
      await store.operations.create(anOperation(state.toLowerCase(), { state }));
    }
    for (const [text, ended] of [["done = true", true], ["done = false", false]] as const) {
      const filter = parseFilter(text, OPERATION_FIELDS, 0)!;
      const { items } = await store.operations.list({ filter, limit: 10 });
      assert.deepEqual(
        items.map(({ value }) => value.state).toSorted(),
        OPERATION_STATES.filter((state) => isTerminal(state) === ended).toSorted(),
      );
    }
  },
  "list() and count() agree with a plain search, for any filter and order": (harness) =>
    agreesWithPlainSearch(harness, BASIC_TEXTS),
};

/** Lists in the order of code points, of a store that has it. */
export const CODE_POINT_CASES: Readonly<Record<string, StoreCase>> = {
  "list() and count() agree with a plain search, also for text beyond the basic plane": (harness) =>
    agreesWithPlainSearch(harness, [...BASIC_TEXTS, "\u{1f600}"]),
};

/** Text whose order is the same by code points and by the units of UTF-16. */
const BASIC_TEXTS: readonly string[] = ["web", "é", "\ufffd", ""];

async function agreesWithPlainSearch(
  { store }: StoreHarness,
  texts: readonly string[],
): Promise<void> {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      documentsWith(texts),
      filterWith(texts),
      order,
      fc.integer({ min: 1, max: 4 }),
      async (documents, filter, orderBy, limit) => {
        const prefix = `environments/r${run++}-`;
        const all = documents.map((document, index) =>
          anEnvironment(`r${run - 1}-${index}`, document)
        );
        await Promise.all(all.map((each) => store.environments.create(each)));
        const expected = all.filter((each) => matches(filter, each))
          .map((each) => cursorOf(each, orderBy))
          .sort((a, b) => compareCursors(a, b, orderBy)).map(({ name }) => name);
        const pages = await pagesOf(store, limit, { prefix, filter, orderBy });
        assert.deepEqual(pages.flat().map(({ value }) => value.name), expected);
        assert.ok(pages.slice(0, -1).every(({ length }) => length === limit), "full pages");
        assert.equal(await store.environments.count({ prefix, filter }), expected.length);
      },
    ),
    { numRuns: 100 },
  );
}

const comparators = ["=", "!=", "<", "<=", ">", ">=", ":"] as const;

/** Comparisons as the parser makes them: a field is compared with values of its type. */
const comparisonWith = (texts: readonly string[]): fc.Arbitrary<Filter> =>
  fc.oneof(
    fc.record({
      op: fc.constantFrom(...comparators),
      path: fc.constantFrom(
        ["state"],
        ["labels", "a/b"],
        ["labels", DOTTED],
        ["labels", "team"],
        ["nothing"],
      ),
      value: fc.constantFrom("READY", "R*", "*Y", "*EAD*", "*", "a", ...texts),
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
      value: fc.constantFrom("*", "team", "é", DOTTED),
    }),
    // As people write them.
    fc.record({
      member: fc.constantFrom(
        "labels",
        "labels.team",
        'labels."a/b"',
        `labels."${DOTTED}"`,
        "labels.'é'",
        "name",
        "uid",
        "current_operation",
        "expire_time",
        "deletion_protection",
        "state",
      ),
      not: fc.boolean(),
    }).map(({ member, not }) => parsed(`${not ? "NOT " : ""}${member}:*`)),
    fc.record({
      key: fc.constantFrom("team", "a/b", "é", DOTTED),
      op: fc.constantFrom(...comparators),
      value: fc.constantFrom("w*", "*", ...texts.filter((text) => text !== "\ufffd")),
    }).map(({ key, op, value }) => parsed(`labels."${key}" ${op} "${value}"`)),
  );

function parsed(text: string): Filter {
  return parseFilter(text, ENVIRONMENT_FIELDS, 0)!;
}

const filterWith = (texts: readonly string[]) =>
  fc.letrec<{ filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 3 },
      comparisonWith(texts),
      fc.record({
        op: fc.constantFrom("and" as const, "or" as const),
        terms: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ op: fc.constant("not" as const), term: tie("filter") }),
    ),
  })).filter;

/** An order of the list, or none, with a direction for each key. */
const order = fc.record({
  paths: fc.constantFrom("", ...LIST_ORDERS.environments),
  descending: fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }),
}).map(({ paths, descending }) =>
  paths.split(", ").filter((path) => path !== "")
    .map((path, at) => ({ path: path.split("."), descending: descending[at]! }))
);

const documentsWith = (texts: readonly string[]) =>
  fc.array(
    fc.record({
      state: fc.constantFrom("READY" as const, "DELETING" as const),
      generation: fc.integer({ min: -2, max: 3 }),
      createTime: fc.integer({ min: 0, max: 2 }),
      deletionProtection: fc.boolean(),
      expireTime: fc.option(fc.integer({ min: 0, max: 3 })),
      labels: fc.dictionary(
        fc.constantFrom("team", "a/b", "é", DOTTED),
        fc.constantFrom(...texts),
      ),
    }),
    { maxLength: 8 },
  );

async function pagesOf(
  store: Store,
  limit: number,
  query: Omit<ListQuery, "limit" | "after"> = {},
): Promise<readonly (readonly Stored<Environment>[])[]> {
  const pages = [];
  let after: Cursor | undefined;
  do {
    const page = await store.environments.list({ ...query, limit, ...(after && { after }) });
    pages.push(page.items);
    after = page.next ?? undefined;
  } while (after);
  return pages;
}

function idOf({ value }: Stored<Environment>): string {
  return value.name.slice("environments/".length);
}
