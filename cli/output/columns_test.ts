import assert from "node:assert/strict";
import * as columns from "./columns.ts";
import { type Column, readMaskOf } from "./columns.ts";

/** The fields that a value reads of an item, whatever they hold. */
function readsOf({ value }: Column<object>): readonly string[] {
  const read = new Set<string>();
  const item = new Proxy({}, {
    get(_target, key) {
      read.add(String(key));
      return undefined;
    },
  });
  value(item);
  return [...read];
}

const LISTS = Object.entries(columns).filter(([name]) => name.endsWith("_COLUMNS")) as [
  string,
  readonly Column<object>[],
][];

Deno.test("columns name the fields that they read, so that masks leave none out", () => {
  assert.ok(LISTS.length >= 6);
  for (const [name, list] of LISTS) {
    for (const column of list) {
      assert.deepEqual(
        readsOf(column).toSorted(),
        [...column.fields].toSorted(),
        `${name} ${column.header}`,
      );
    }
  }
});

Deno.test("a mask holds what its format shows", () => {
  const { POD_COLUMNS, WORKLOAD_COLUMNS } = columns;
  const rows = [
    ["name", WORKLOAD_COLUMNS, "name"],
    [
      "table",
      WORKLOAD_COLUMNS,
      "name,state,conditions,readyReplicas,spec,activeRevision,createTime",
    ],
    ["table", POD_COLUMNS, "name,ready,status,restarts,node,createTime,message"],
    ["wide", POD_COLUMNS, "name,ready,status,restarts,node,createTime,message,image"],
    ["json", POD_COLUMNS, undefined],
    ["yaml", POD_COLUMNS, undefined],
  ] as const;
  for (const [kind, list, mask] of rows) {
    assert.equal(readMaskOf({ kind }, list as readonly Column<object>[]), mask, kind);
  }
});

Deno.test("the state of a resource shows that its cluster differs from what was applied", () => {
  const [, state] = columns.ENVIRONMENT_COLUMNS;
  const ready = { state: "ENVIRONMENT_STATE_READY" } as const;
  const drifted = (status: "CONDITION_STATUS_TRUE" | "CONDITION_STATUS_FALSE") => ({
    ...ready,
    conditions: [{ type: "Drifted", status }],
  });
  assert.equal(state?.value(ready), "READY");
  assert.equal(state?.value(drifted("CONDITION_STATUS_TRUE")), "READY,Drifted");
  assert.equal(state?.value(drifted("CONDITION_STATUS_FALSE")), "READY");
});

Deno.test("the history of a chart shows how many copies were ready, because the spec has no number", () => {
  const replicas = columns.REVISION_COLUMNS.find(({ header }) => header === "REPLICAS");
  const chart = { spec: { replicas: 0, chart: { name: "shop", version: "1" } } };
  assert.equal(replicas?.value({ ...chart, readyReplicas: 3 }), "3");
  assert.equal(replicas?.value(chart), "", "an earlier version has deployed it");
  assert.equal(replicas?.value({ spec: { replicas: 2, image: "nginx:1" } }), "2");
});
