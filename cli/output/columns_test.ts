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
    ["table", WORKLOAD_COLUMNS, "name,state,readyReplicas,spec,activeRevision,createTime"],
    ["table", POD_COLUMNS, "name,ready,status,restarts,node,createTime,message"],
    ["wide", POD_COLUMNS, "name,ready,status,restarts,node,createTime,message,image"],
    ["json", POD_COLUMNS, undefined],
    ["yaml", POD_COLUMNS, undefined],
  ] as const;
  for (const [kind, list, mask] of rows) {
    assert.equal(readMaskOf({ kind }, list as readonly Column<object>[]), mask, kind);
  }
});
