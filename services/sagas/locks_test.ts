/** Releases, cancellations and the queue, with concurrent changes to the same record. */
import assert from "node:assert/strict";
import type { Operation } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { anEnvironment, anOperation } from "../../tests/fakes/documents.ts";
import { releaseResource, withdrawLock } from "./release_lock.ts";
import { requestCancel } from "./request_cancel.ts";
import { dropWaiting } from "./resource_lock.ts";

const NAME = "environments/dev";
const NEVER = new AbortController().signal;

const cancellation = (reason: string) => ({ actor: "ann", reason, time: 0 });

async function held(
  store: Store,
  more: Parameters<typeof anEnvironment>[1] = {},
): Promise<Operation> {
  const operation = anOperation("op", { state: "RUNNING" });
  await store.operations.create(operation);
  const lock = { currentOperation: operation.name, state: "CREATING" as const };
  await store.environments.create(anEnvironment("dev", { ...lock, ...more }));
  return operation;
}

Deno.test("a release that loses against another change is repeated on the changed record", async () => {
  const store = openMemoryStore();
  const operation = await held(store);
  const { value, version } = (await store.environments.get(NAME))!;
  const labels = { team: "web" };
  const { environments } = store;
  let outrun = false;
  const busy: Store = {
    ...store,
    environments: {
      create: (...call) => environments.create(...call),
      get: (...call) => environments.get(...call),
      list: (...call) => environments.list(...call),
      count: (...call) => environments.count(...call),
      delete: (...call) => environments.delete(...call),
      async replace(...call) {
        if (!outrun) await environments.replace({ ...value, labels }, version);
        outrun = true;
        return await environments.replace(...call);
      },
    },
  };
  await releaseResource(busy, operation, { state: "SUCCEEDED", error: null }, 1);
  const after = (await environments.get(NAME))!.value;
  assert.deepEqual([after.state, after.currentOperation, after.lastOperation, after.labels], [
    "READY",
    null,
    operation.name,
    labels,
  ]);
});

Deno.test("the first cancellation of an operation stays, and an ended operation gets none", async () => {
  const store = openMemoryStore();
  await store.operations.create(anOperation("op", { state: "RUNNING" }));
  await store.operations.create(anOperation("ended", { state: "SUCCEEDED" }));
  for (const reason of ["first", "second"]) {
    await requestCancel(store, "operations/op", cancellation(reason), NEVER);
  }
  const { value, version } = (await store.operations.get("operations/op"))!;
  assert.deepEqual([value.state, value.cancellation?.reason, version], ["CANCELLING", "first", 2]);
  const ended = await requestCancel(store, "operations/ended", cancellation("late"), NEVER);
  assert.deepEqual([ended.value.state, ended.value.cancellation], ["SUCCEEDED", null]);
});

Deno.test("dropping a deletion from the queue drops no other deletion", async () => {
  const store = openMemoryStore();
  await held(store, { nextOperation: "operations/other" });
  await dropWaiting(store, anOperation("mine", { kind: "environment.delete" }), 1);
  assert.equal((await store.environments.get(NAME))!.value.nextOperation, "operations/other");
  await dropWaiting(store, anOperation("other", { kind: "environment.delete" }), 1);
  assert.equal((await store.environments.get(NAME))!.value.nextOperation, null);
});

Deno.test("withdrawing a lock restores the resource as it was before", async () => {
  const store = openMemoryStore();
  const before = anEnvironment("dev", { lastOperation: "operations/before" });
  const { version } = await store.environments.create(before);
  const operation = anOperation("op", { kind: "environment.update" });
  const taken = { ...before, state: "UPDATING" as const, currentOperation: operation.name };
  await store.environments.replace(taken, version);
  await withdrawLock(store, operation, before, 7);
  const after = (await store.environments.get(NAME))!.value;
  assert.deepEqual(after, { ...before, updateTime: 7 });
});

Deno.test("withdrawing a lock removes a record that the admission created", async () => {
  const store = openMemoryStore();
  const operation = await held(store);
  await withdrawLock(store, operation, null, 7);
  assert.equal(await store.environments.get(NAME), undefined);
});
