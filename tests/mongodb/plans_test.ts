/**
 * The plan of every query that the ports can make: each one names an index that gives its order, so
 * that the server neither scans a collection nor sorts. Where the server has `explain`, its own plan
 * is read too.
 */
import assert from "node:assert/strict";
import { type CommandStartedEvent, type Document, MongoClient } from "mongodb";
import {
  ENVIRONMENT_FIELDS,
  type Filter,
  type FilterFields,
  OPERATION_FIELDS,
  type OrderKey,
  WORKLOAD_FIELDS,
} from "@mpc/domain";
import type { ListQuery } from "@mpc/storage";
import { conditionQuery, pageQuery } from "../../storage/mongodb/list_query.ts";
import { EVENT_INDEXES, type Index, INDEXES } from "../../storage/mongodb/indexes.ts";
import { anEnvironment, anEvent, anOperation } from "../fakes/documents.ts";
import { mongodbUnderTest } from "../servers/mongodb_under_test.ts";

const server = await mongodbUnderTest();

const LISTED = {
  environments: ENVIRONMENT_FIELDS,
  workloads: WORKLOAD_FIELDS,
  operations: OPERATION_FIELDS,
} as const;

/** The filters that a user can write with one field, and all of them without. */
function* filtersOf(fields: FilterFields): Generator<Filter | undefined> {
  yield undefined;
  for (const field of Object.values(fields)) {
    if (field.type === "derived") {
      yield field.holds(1_000);
      continue;
    }
    const { path, type } = field;
    if (type === "map") {
      yield { op: "=", path: [...path, "app.kubernetes.io/name"], value: "shop" };
      yield { op: ":", path, value: "team" };
    } else if (type === "number" || type === "timestamp") {
      yield { op: "=", path, value: 1 };
      yield { op: ">=", path, value: 1 };
    } else if (type === "boolean") yield { op: "=", path, value: true };
    else {
      yield { op: "=", path, value: "x" };
      yield { op: "=", path, value: "x*" };
      yield { op: "!=", path, value: "x" };
    }
  }
}

/** Every order by one field, and the order by name. */
function* ordersOf(fields: FilterFields): Generator<readonly OrderKey[]> {
  yield [];
  for (const field of Object.values(fields)) {
    if (field.type === "derived" || field.type === "map") continue;
    for (const descending of [false, true]) yield [{ path: field.path, descending }];
  }
}

/** The fields that a condition compares with fixed values, on its outermost level. */
function fixedBy(filter: Document): ReadonlySet<string> {
  const fixed = new Set<string>();
  for (const [key, value] of Object.entries(filter)) {
    if (key === "$and") {
      for (const part of value) for (const each of fixedBy(part)) fixed.add(each);
    } else if (!key.startsWith("$") && isFixed(value)) fixed.add(key);
  }
  return fixed;
}

const isFixed = (value: unknown): boolean =>
  typeof value !== "object" || value === null || "$in" in value;

/** Whether an index gives an order once its leading fields are fixed, forwards or backwards. */
function gives(index: Document, filter: Document, sort: Document): boolean {
  const fixed = fixedBy(filter);
  const wanted = Object.keys(sort).filter((field) => !fixed.has(field));
  const rest = Object.keys(index).filter((field) => !fixed.has(field));
  const ways = new Set(wanted.map((field) => sort[field] * index[field]));
  return ways.size <= 1 && wanted.every((field, at) => rest[at] === field);
}

Deno.test("every list by one field names an index that gives its order, in both directions", () => {
  let plans = 0;
  for (const [name, fields] of Object.entries(LISTED)) {
    const indexes = INDEXES[name as keyof typeof LISTED];
    const declared = new Set(indexes.map((index) => index.fields.join()));
    for (const filter of filtersOf(fields)) {
      for (const orderBy of ordersOf(fields)) {
        const query: ListQuery = { limit: 50, orderBy, ...(filter && { filter }) };
        const page = pageQuery(query, indexes);
        const index = Object.keys(page.hint ?? {});
        const what = JSON.stringify([name, filter, orderBy]);
        assert.ok(index.join() === "_id" || declared.has(index.join()), `${what}: ${index}`);
        assert.ok(gives(page.hint ?? {}, page.filter, page.sort), `${what}: ${index}`);
        plans++;
      }
    }
  }
  assert.ok(plans > 1_000, `${plans} plans`);
});

/** The orders by two fields that have an index; the server sorts a page of any other in memory. */
const BY_TWO: readonly (readonly [keyof typeof LISTED, field: string])[] = [
  ["environments", "state"],
  ["workloads", "state"],
  ["operations", "state"],
  ["operations", "target"],
  ["operations", "actor"],
  ["operations", "kind"],
];

Deno.test("orders by a field and then by time name an index, in all four directions", () => {
  for (const [name, field] of BY_TWO) {
    for (const [first, second] of [[false, false], [false, true], [true, false], [true, true]]) {
      const orderBy = [
        { path: [field], descending: first! },
        { path: ["createTime"], descending: second! },
      ];
      const { filter, sort, hint } = pageQuery({ limit: 50, orderBy }, INDEXES[name]);
      assert.ok(hint && gives(hint, filter, sort), `${name} by ${JSON.stringify(sort)}`);
      assert.deepEqual(Object.keys(hint), [`value.${field}`, "value.createTime", "_id"]);
    }
  }
  const other = [{ path: ["state"], descending: false }, { path: ["uid"], descending: false }];
  assert.equal(pageQuery({ limit: 50, orderBy: other }, INDEXES.environments).hint, undefined);
});

Deno.test("a filter on the state and an order by time are one range of an index", () => {
  const filter: Filter = { op: "=", path: ["state"], value: "PENDING" };
  const orderBy = [{ path: ["createTime"], descending: true }];
  const after = { keys: [7], name: "operations/x" };
  const page = pageQuery({ limit: 50, filter, orderBy, after }, INDEXES.operations);
  assert.deepEqual(page.hint, { "value.state": 1, "value.createTime": 1, _id: 1 });
  const bound = JSON.stringify({ "value.createTime": { $lte: 7 } });
  assert.ok(JSON.stringify(page.filter).includes(bound), "the cursor bounds the range");
});

Deno.test("the operations of an engine that have not begun are one range of an index", () => {
  const terms: readonly Filter[] = [
    { op: "=", path: ["state"], value: "PENDING" },
    { op: "=", path: ["engine"], value: "embedded" },
  ];
  const orderBy = [{ path: ["createTime"], descending: false }];
  const query = { limit: 50, filter: { op: "and", terms }, orderBy } as const;
  const { hint } = pageQuery(query, INDEXES.operations);
  const fields = ["value.engine", "value.state", "value.createTime", "_id"];
  assert.deepEqual(Object.keys(hint ?? {}), fields);
});

/** Everything that the ports do besides lists of one field. */
async function useEverything(address: string): Promise<readonly CommandStartedEvent[]> {
  const commands: CommandStartedEvent[] = [];
  const store = await server.open(address, (command) => commands.push(command));
  try {
    commands.length = 0;
    const { environments, operations, events } = store;
    await environments.create(anEnvironment("dev"), { events: [anEvent("1")] });
    await environments.replace(anEnvironment("dev"), 1, { events: [anEvent("2")] });
    await assert.rejects(environments.replace(anEnvironment("dev"), 1));
    await assert.rejects(environments.create(anEnvironment("dev")));
    await environments.get("environments/dev");
    await environments.count({ prefix: "environments/d" });
    await environments.count({ filter: { op: "=", path: ["state"], value: "READY" } });
    await environments.list({ limit: 2, prefix: "environments/" });
    await operations.create(anOperation("a", { requestId: "r" }), { events: [anEvent("3")] });
    await assert.rejects(operations.create(anOperation("b", { requestId: "r" })));
    await operations.findByRequestId("ann", "r");
    await environments.delete("environments/dev", 2, { events: [anEvent("4")] });
    await environments.create(anEnvironment("dev"), { events: [anEvent("5")] });
    await environments.delete("environments/dev", 1);
    await events.append([anEvent("6")]);
    await events.head();
    await events.read(1, 2);
    await events.compactBefore(0);
    const stop = new AbortController();
    for await (const _ of events.tail(0, stop.signal)) break;
    stop.abort();
  } finally {
    await store.close();
  }
  return commands;
}

/** The filter and the order of a command that reads; undefined for others. */
function searchOf({ commandName, command }: CommandStartedEvent) {
  switch (commandName) {
    case "find":
      return { filter: command["filter"], sort: command["sort"], hint: command["hint"] };
    case "findAndModify":
      return { filter: command["query"], sort: undefined, hint: undefined };
    case "aggregate":
      return { filter: command["pipeline"][0].$match, sort: undefined, hint: command["hint"] };
    case "update":
      return { filter: command["updates"][0].q, sort: undefined, hint: undefined };
    case "delete":
      return { filter: command["deletes"][0].q, sort: undefined, hint: undefined };
    default:
      return undefined;
  }
}

Deno.test("every other query of the ports starts from an index", async () => {
  const address = server.newAddress();
  try {
    const commands = await useEverything(address);
    const seen = new Set<string>();
    for (const started of commands) {
      const search = searchOf(started);
      if (!search) continue;
      const { filter, sort = {}, hint } = search;
      const collection = started.command[started.commandName];
      const declared: readonly Index[] = collection === "events"
        ? EVENT_INDEXES
        : INDEXES[collection as keyof typeof INDEXES] ?? [];
      const first = Object.keys(filter)[0];
      const lead = hint ? Object.keys(hint)[0] : first ?? Object.keys(sort)[0];
      const known = lead === "_id" || declared.some(({ fields }) => fields[0] === lead);
      assert.ok(known, `${started.commandName} ${collection}: ${JSON.stringify(search)}`);
      const index = hint ?? { [lead!]: 1 };
      assert.ok(
        Object.keys(sort).length === 0 || gives(index, filter, sort),
        `${started.commandName} ${collection}: ${JSON.stringify(search)}`,
      );
      seen.add(`${started.commandName} ${collection}`);
    }
    for (const wanted of ["find environments", "find events", "aggregate environments"]) {
      assert.ok(seen.has(wanted), `${wanted} was seen`);
    }
  } finally {
    await server.drop(address);
  }
});

Deno.test({
  name: "the server's own plans neither scan nor sort",
  // mongo-java-server has no `explain`.
  ignore: Deno.env.get("MPC_TEST_MONGODB_URI") === undefined,
  async fn() {
    const address = server.newAddress();
    const store = await server.open(address);
    const client = new MongoClient(address);
    try {
      for (const [name, fields] of Object.entries(LISTED)) {
        const collection = client.db().collection(name);
        const indexes = INDEXES[name as keyof typeof LISTED];
        for (const filter of filtersOf(fields)) {
          for (const orderBy of ordersOf(fields)) {
            const query: ListQuery = { limit: 50, orderBy, ...(filter && { filter }) };
            const page = pageQuery(query, indexes);
            const plan = await collection.find(page.filter as Document, {
              sort: page.sort,
              hint: page.hint!,
              limit: 51,
            }).explain("queryPlanner");
            const stages = JSON.stringify(plan["queryPlanner"].winningPlan);
            assert.doesNotMatch(stages, /"COLLSCAN"|"SORT"/, JSON.stringify(query));
          }
        }
        const count = await collection.find(conditionQuery({}) as Document, { hint: { _id: 1 } })
          .explain("queryPlanner");
        assert.doesNotMatch(JSON.stringify(count), /"COLLSCAN"/);
      }
    } finally {
      await client.close();
      await store.close();
      await server.drop(address);
    }
  },
});
