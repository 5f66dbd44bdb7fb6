/**
 * The plan of every query that the ports can make: each one names an index that gives its order, so
 * that the server neither scans a collection nor sorts. Where the server has `explain`, its own plan
 * is read too. A filter that no index has is applied while the index of the order is read.
 */
import assert from "node:assert/strict";
import { type CommandStartedEvent, type Document, MongoClient } from "mongodb";
import {
  AUDIT_FIELDS,
  DEAD_LETTER_FIELDS,
  ENVIRONMENT_FIELDS,
  EVENT_SINK_FIELDS,
  type Filter,
  type FilterFields,
  LIST_ORDERS,
  OPERATION_FIELDS,
  type OrderKey,
  TOKEN_FIELDS,
  WORKLOAD_FIELDS,
} from "@mpc/domain";
import type { ListQuery } from "@mpc/storage";
import { conditionQuery, pageQuery } from "../../storage/mongodb/list_query.ts";
import { EVENT_INDEXES, type Index, INDEXES } from "../../storage/mongodb/indexes.ts";
import { anEnvironment, anEvent, anOperation } from "../fakes/documents.ts";
import { mongodbUnderTest } from "../servers/mongodb_under_test.ts";

const server = await mongodbUnderTest();

/** The fields that a user can filter by, in each collection that has lists. */
const LISTED: Readonly<Record<keyof typeof LIST_ORDERS, FilterFields>> = {
  environments: ENVIRONMENT_FIELDS,
  workloads: WORKLOAD_FIELDS,
  revisions: {},
  operations: OPERATION_FIELDS,
  orphans: {},
  tokens: TOKEN_FIELDS,
  audit: AUDIT_FIELDS,
  eventSinks: EVENT_SINK_FIELDS,
  deadLetters: DEAD_LETTER_FIELDS,
};

const COLLECTIONS = Object.keys(LISTED) as readonly (keyof typeof LISTED)[];

/** No filter, the filters with one field, and pairs of them: joined by AND, by OR, and negated. */
function* filtersOf(fields: FilterFields): Generator<Filter | undefined> {
  yield undefined;
  const simple = [...simpleFilters(fields)];
  yield* simple;
  for (const [at, first] of simple.entries()) {
    yield { op: "not", term: first };
    for (const second of simple.slice(at)) {
      yield { op: "and", terms: [first, second] };
      yield { op: "or", terms: [first, second] };
    }
  }
}

function* simpleFilters(fields: FilterFields): Generator<Filter> {
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

/** Every order of a collection, with each key in both directions; and none. */
function* ordersOf(collection: keyof typeof LIST_ORDERS): Generator<readonly OrderKey[]> {
  yield [];
  for (const order of LIST_ORDERS[collection]) {
    const paths = order.split(", ").map((path) => path.split("."));
    for (let directions = 0; directions < 2 ** paths.length; directions++) {
      yield paths.map((path, at) => ({ path, descending: (directions >> at) % 2 === 1 }));
    }
  }
}

/** Every query of a page: each filter with each order, on the first page and after it. */
function* queriesOf(collection: keyof typeof LIST_ORDERS): Generator<ListQuery> {
  for (const filter of filtersOf(LISTED[collection])) {
    for (const orderBy of ordersOf(collection)) {
      const query = { limit: 50, orderBy, ...(filter && { filter }) };
      yield query;
      yield { ...query, after: { keys: orderBy.map(() => 1), name: "x" } };
    }
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

Deno.test("every list names an index that gives its order, whatever its filter", () => {
  let plans = 0;
  for (const name of COLLECTIONS) {
    const indexes = INDEXES[name];
    const declared = new Set(indexes.map((index) => index.fields.join()));
    for (const query of queriesOf(name)) {
      const { hint, filter, sort } = pageQuery(query, indexes);
      const index = Object.keys(hint).join();
      // Written only for the queries that fail: most of the time would go into texts.
      const what = () => `${name} ${JSON.stringify(query)}: ${index}`;
      if (index !== "_id" && !declared.has(index)) assert.fail(what());
      if (!gives(hint, filter, sort)) assert.fail(what());
      plans++;
    }
  }
  assert.ok(plans > 50_000, `${plans} plans`);
});

Deno.test("another order is a fault of the program, also where an index begins with it", () => {
  const key = (name: string) => ({ path: [name], descending: false });
  for (const orderBy of [[key("state"), key("uid")], [key("generation")]]) {
    assert.throws(() => pageQuery({ limit: 50, orderBy }, INDEXES.environments), /no index/);
  }
});

Deno.test("no collection has more indexes than MongoDB allows", () => {
  for (const [name, indexes] of Object.entries(INDEXES)) {
    assert.ok(indexes.length + 1 <= 64, `${name}: ${indexes.length + 1}`);
    const names = new Set(indexes.map((index) => index.name));
    assert.equal(names.size, indexes.length, `${name}: the names of indexes differ`);
  }
});

Deno.test("more alternatives than a server merges in order do not choose the index", () => {
  const anyOf = (field: string, count: number): Filter => ({
    op: "or",
    terms: Array.from({ length: count }, (_, at) => ({ op: "=", path: [field], value: `${at}` })),
  });
  const orderBy = [{ path: ["createTime"], descending: true }];
  const indexOf = (...terms: readonly Filter[]) =>
    Object.keys(
      pageQuery({ limit: 50, filter: { op: "and", terms }, orderBy }, INDEXES.operations).hint,
    ).map((field) => field.replace("value.", ""));
  const engines = ["engine", "state", "createTime", "_id"];
  assert.deepEqual(indexOf(anyOf("engine", 20), anyOf("state", 10)), engines);
  const states = ["state", "createTime", "_id"];
  assert.deepEqual(indexOf(anyOf("engine", 21), anyOf("state", 10)), states);
  assert.deepEqual(indexOf(anyOf("engine", 300), anyOf("state", 201)), ["createTime", "_id"]);
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
  assert.deepEqual(Object.keys(hint), fields);
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
      for (const name of COLLECTIONS) {
        const collection = client.db().collection(name);
        for (const query of queriesOf(name)) {
          const page = pageQuery(query, INDEXES[name]);
          const plan = await collection.find(page.filter as Document, {
            sort: page.sort,
            hint: page.hint,
            limit: 51,
          }).explain("queryPlanner");
          const stages = JSON.stringify(plan["queryPlanner"].winningPlan);
          assert.doesNotMatch(stages, /"COLLSCAN"|"SORT"/, JSON.stringify(query));
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
