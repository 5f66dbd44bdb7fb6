/** The two writes of an admission, and the writes of a drop, in every order that matters. */
import assert from "node:assert/strict";
import { createEnvironment } from "@mpc/services";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { afterReplace } from "../../tests/fakes/after_replace.ts";
import { anEnvironment, anEvent, anOperation } from "../../tests/fakes/documents.ts";
import { FailingStore } from "../../tests/fakes/failing_store.ts";
import { FakeClock, settle } from "../../tests/fakes/fake_clock.ts";
import { withPlatform } from "../../tests/fakes/platform.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { requestIdOf } from "../../tests/fakes/request_id.ts";
import { assertIdle } from "./admit.ts";
import { repeatedRequest } from "./idempotency.ts";
import {
  ADMISSION_GRACE_MS,
  confirmAdmission,
  deleteUnadmitted,
  dropUnadmitted,
  isAdmitted,
} from "./admission.ts";

const ENVIRONMENT = "environments/dev";
const OPERATION = "operations/op";
const clock = new FakeClock();

const locked = (lock: "currentOperation" | "nextOperation") =>
  anEnvironment("dev", { [lock]: OPERATION });

Deno.test("an operation is admitted when it has begun, has its lock, or is queued for it", async () => {
  const rows = [
    ["PENDING, no lock", {}, null, false],
    ["PENDING, holds", {}, locked("currentOperation"), true],
    ["PENDING, queued", {}, locked("nextOperation"), true],
    ["PENDING, begun", { startTime: 1 }, null, true],
    ["CANCELLING, not begun", { state: "CANCELLING" }, null, true],
  ] as const;
  for (const [what, operation, environment, admitted] of rows) {
    const store = openMemoryStore();
    if (environment) await store.environments.create(environment);
    assert.equal(await isAdmitted({ store }, anOperation("op", operation)), admitted, what);
  }
});

Deno.test("confirmAdmission() resets a revocation, and reports a record that is gone", async () => {
  const store = openMemoryStore();
  assert.equal(await confirmAdmission({ store }, OPERATION), undefined);
  await store.operations.create(anOperation("op", { admissionRevoked: true }));
  const confirmed = await confirmAdmission({ store }, OPERATION);
  assert.deepEqual([confirmed?.value.admissionRevoked, confirmed?.version], [false, 2]);
  assert.equal((await store.operations.get(OPERATION))?.value.admissionRevoked, false);
  assert.equal((await confirmAdmission({ store }, OPERATION))?.version, 2, "nothing to write");
});

Deno.test("an operation that has its lock is not dropped", async () => {
  for (const lock of ["currentOperation", "nextOperation"] as const) {
    const store = openMemoryStore();
    const stored = await store.operations.create(anOperation("op"));
    await store.environments.create(locked(lock));
    await dropUnadmitted({ store, clock }, stored);
    assert.equal((await store.operations.get(OPERATION))?.value.admissionRevoked, false, lock);
  }
});

Deno.test("an operation whose lock lands right after its revocation is not dropped", async () => {
  const bare = openMemoryStore();
  const stored = await bare.operations.create(anOperation("op"));
  const store = afterReplace(bare, () => bare.environments.create(locked("currentOperation")));
  await dropUnadmitted({ store, clock }, stored);
  assert.equal((await bare.operations.get(OPERATION))?.value.admissionRevoked, false);
});

Deno.test("an operation without its lock is dropped, with an event", async () => {
  const store = openMemoryStore();
  const stored = await store.operations.create(anOperation("op"));
  await dropUnadmitted({ store, clock }, stored);
  assert.equal(await store.operations.get(OPERATION), undefined);
  const [event] = await store.events.read(0, 1);
  assert.deepEqual([event?.type, event?.reason, event?.target], [
    "DELETED",
    "OperationDropped",
    OPERATION,
  ]);
});

Deno.test("an operation that another process has confirmed or dropped in the meantime is not deleted", async () => {
  const store = openMemoryStore();
  const stored = await store.operations.create(anOperation("op", { admissionRevoked: true }));
  await confirmAdmission({ store }, OPERATION);
  await rejectsWith(deleteUnadmitted({ store, clock }, stored), "ABORTED", "VERSION_CONFLICT");
  await rejectsWith(dropUnadmitted({ store, clock }, stored), "ABORTED", "VERSION_CONFLICT");
  assert.ok(await store.operations.get(OPERATION));
});

Deno.test("an admission whose record is dropped before its lock is written is repeated once", async () => {
  const bare = openMemoryStore();
  const { environments, operations } = bare;
  let dropped: string | undefined;
  const store: Store = {
    ...bare,
    environments: {
      get: (...call) => environments.get(...call),
      list: (...call) => environments.list(...call),
      count: (...call) => environments.count(...call),
      replace: (...call) => environments.replace(...call),
      delete: (...call) => environments.delete(...call),
      async create(...call) {
        if (dropped === undefined) {
          const { items: [pending] } = await operations.list({ limit: 1 });
          dropped = pending!.value.name;
          await operations.delete(dropped, pending!.version);
        }
        return await environments.create(...call);
      },
    },
  };
  await withPlatform(async (platform) => {
    const request = { environmentId: "dev", environment: {} };
    const result = await createEnvironment(platform.deps, platform.caller, request);
    const { name } = result.operation!.value;
    assert.notEqual(name, dropped, "another operation");
    assert.equal((await environments.get(ENVIRONMENT))?.value.currentOperation, name);
    assert.equal((await platform.ended(result)).state, "SUCCEEDED");
    assert.equal(await operations.count({}), 1);
    await platform.assertSound();
  }, { store });
});

Deno.test("if it is unknown whether the lock was written, the record stays, and the janitor finishes", async () => {
  const store = new FailingStore(openMemoryStore(), clock);
  await withPlatform(async (platform) => {
    const request = { environmentId: "dev", environment: {}, requestId: requestIdOf(1) };
    const ask = () => createEnvironment(platform.deps, platform.caller, request);
    // The second write is the lock: it is made, but its response is lost.
    store.plan("answer lost", 2);
    await rejectsWith(ask(), "UNAVAILABLE", "STORE_UNAVAILABLE");
    store.heal();
    const { items } = await store.operations.list({ limit: 9 });
    assert.equal(items.length, 1, "the record of an operation that may be admitted");
    const repeated = await ask();
    assert.equal(repeated.operation?.value.name, items[0]?.value.name);
    assert.equal((await platform.ended(repeated)).state, "SUCCEEDED");
    await platform.assertSound();
  }, { store });
});

Deno.test("a request whose first try a clock ahead of ours cut off is made again after the grace", () =>
  withPlatform(async (platform) => {
    const { deps, caller, clock, store } = platform;
    const request = { environmentId: "dev", environment: {}, requestId: requestIdOf(1) };
    await platform.crash();
    const { operation } = await createEnvironment(deps, caller, request);
    const { value, version } = operation!;
    // As a crash between the two writes of the admission would leave it.
    const { version: locked } = (await store.environments.get(ENVIRONMENT))!;
    await store.environments.delete(ENVIRONMENT, locked);
    await store.operations.replace(
      { ...value, state: "PENDING", startTime: null, createTime: clock.now() + 20 * 60_000 },
      version,
    );
    const repeated = createEnvironment(deps, caller, request);
    await clock.advance(ADMISSION_GRACE_MS);
    assert.notEqual((await repeated).operation?.value.name, value.name);
  }));

Deno.test("a repeated request confirms an operation whose admission was revoked in the meantime", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    await platform.crash();
    const request = { environmentId: "dev", environment: {}, requestId: requestIdOf(1) };
    const { name } = (await createEnvironment(deps, caller, request)).operation!.value;
    const { value, version } = (await store.operations.get(name))!;
    await store.operations.replace({ ...value, admissionRevoked: true }, version);
    const { operation } = await createEnvironment(deps, caller, request);
    assert.deepEqual([operation?.value.name, operation?.value.admissionRevoked], [name, false]);
    assert.equal((await store.operations.get(name))?.value.admissionRevoked, false);
    await platform.restart();
  }));

Deno.test("a repeated request notices a lock that is written right after its read", async () => {
  const store = openMemoryStore();
  const { environments } = store;
  const looked: Store = {
    ...store,
    environments: Object.assign(Object.create(environments), {
      async get(...call: Parameters<typeof environments.get>) {
        const found = await environments.get(...call);
        if (!found) {
          const lock = locked("currentOperation");
          const event = { ...anEvent("admitted"), operation: OPERATION };
          await environments.create(lock, { events: [event] });
        }
        return found;
      },
    }),
  };
  await withPlatform(async (platform) => {
    await platform.crash();
    const { deps, caller } = platform;
    const first = anOperation("op", {
      actor: caller.principal,
      requestId: requestIdOf(1),
      requestHash: "hash",
      createTime: deps.clock.now(),
    });
    await store.operations.create(first);
    let found: string | undefined;
    const looking = repeatedRequest({ ...deps, store: looked }, caller, requestIdOf(1), "hash")
      .then((stored) => found = stored?.value.name);
    await settle(20);
    assert.equal(found, OPERATION, "without waiting for time to pass");
    await looking;
    await platform.restart();
  }, { store });
});

Deno.test("a request that a queued deletion blocks is told about the deletion", async () => {
  const busy = anEnvironment("dev", {
    currentOperation: "operations/runs",
    nextOperation: "operations/waits",
  });
  const refused = Promise.resolve().then(() => assertIdle(busy, "change environment"));
  const error = await rejectsWith(refused, "ABORTED", "OPERATION_IN_PROGRESS");
  assert.equal(error.metadata["operation"], "operations/waits");
  assertIdle(anEnvironment("dev", { nextOperation: "operations/waits" }), "change environment");
});
