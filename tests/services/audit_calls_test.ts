/** What calls leave in the audit when something fails, and how a flood of refusals is bounded. */
import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ConnectError, createHandlerContext } from "@connectrpc/connect";
import { type AuditRecord, MpcError } from "@mpc/domain";
import { identify, intercept } from "@mpc/process";
import {
  CreateEnvironmentRequestSchema,
  EnvironmentService,
  GetEnvironmentRequestSchema,
} from "@mpc/proto";
import { allowEverything, auditedAuthorizer, auditedStore, type Authorizer } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import type { Store } from "@mpc/storage";
import { environmentService } from "../../api/environment_service.ts";
import { auditCalls } from "../../api/interceptors/audit_calls.ts";
import { verifyStore } from "../contract/audit_cases.ts";
import { openAudit } from "../fakes/audit.ts";
import { Platform } from "../fakes/platform.ts";

const DENIED = new MpcError("PERMISSION_DENIED", {
  reason: "CLUSTER_FORBIDS",
  message: "denied",
  metadata: { permission: "environments.get" },
});

const denying: Authorizer = {
  ...allowEverything,
  authorize: () => Promise.reject(DENIED),
  visible: () => Promise.reject(DENIED),
};

interface World {
  readonly platform: Platform;
  readonly store: Store;
  readonly create: (id: string) => Promise<unknown>;
  readonly get: (id: string) => Promise<unknown>;
  readonly records: () => Promise<readonly AuditRecord[]>;
  readonly close: () => Promise<void>;
}

/** The methods of environments behind the interceptors, without doors. */
async function open(
  options: {
    readonly store?: Store;
    readonly authorizer?: Authorizer;
    readonly principal?: () => string;
  } = {},
): Promise<World> {
  const store = options.store ?? openMemoryStore();
  const platform = await Platform.start({ store });
  const { clock } = platform;
  const audit = openAudit({ store, clock });
  const deps = {
    ...platform.deps,
    store: auditedStore(store),
    authorizer: auditedAuthorizer(options.authorizer ?? platform.deps.authorizer),
  };
  const { principal = () => "ann" } = options;
  const methods = intercept(EnvironmentService, environmentService(deps), [
    auditCalls(audit),
    identify(() => ({ principal: principal(), groups: ["ops"], kind: "user" })),
  ]);
  const contextOf = (method: keyof typeof EnvironmentService.method) =>
    createHandlerContext({
      service: EnvironmentService,
      method: EnvironmentService.method[method],
      protocolName: "grpc",
      requestMethod: "POST",
      url: "http://local",
      requestHeader: {},
    });
  return {
    platform,
    store,
    create: async (environmentId) =>
      await methods.createEnvironment!(
        create(CreateEnvironmentRequestSchema, { environmentId, environment: {} }),
        contextOf("createEnvironment"),
      ),
    get: async (id) =>
      await methods.getEnvironment!(
        create(GetEnvironmentRequestSchema, { name: `environments/${id}` }),
        contextOf("getEnvironment"),
      ),
    records: async () =>
      (await store.audit.list({ limit: 10_000 })).items.map(({ value }) => value),
    async close() {
      await audit[Symbol.asyncDispose]();
      await platform.crash();
      await store.close();
    },
  };
}

/** A store in memory whose audit cannot be written while `broken()`. */
function withBrokenAudit(broken: (appends: number) => boolean): Store {
  const store = openMemoryStore();
  let appends = 0;
  const { audit } = store;
  return {
    ...store,
    audit: {
      create: (...call) => audit.create(...call),
      get: (...call) => audit.get(...call),
      list: (...call) => audit.list(...call),
      count: (...call) => audit.count(...call),
      replace: (...call) => audit.replace(...call),
      delete: (...call) => audit.delete(...call),
      append(records) {
        if (!broken(++appends)) return audit.append(records);
        return Promise.reject(
          new MpcError("RESOURCE_EXHAUSTED", { reason: "STORE_FULL", message: "the disk is full" }),
        );
      },
    },
  };
}

Deno.test("a change whose record cannot be kept is refused, and nothing has changed", async () => {
  let full = true;
  const world = await open({ store: withBrokenAudit(() => full) });
  const { store, create, get, records } = world;
  // The store's own reason says what to do.
  await assert.rejects(create("dev"), { code: "RESOURCE_EXHAUSTED", reason: "STORE_FULL" });
  assert.equal(await store.operations.count({}), 0);
  assert.equal(await store.environments.count({}), 0);
  assert.equal(await store.events.head(), 0);
  assert.deepEqual(await records(), []);
  // What changes nothing is not refused for it.
  await assert.rejects(get("dev"), { code: "NOT_FOUND" });
  full = false;
  await create("dev");
  assert.deepEqual((await records()).map(({ phase }) => phase), ["REQUESTED", "COMPLETED"]);
  await world.close();
});

Deno.test("a change whose result cannot be recorded is made, and its first record stays", async () => {
  const world = await open({ store: withBrokenAudit((appends) => appends === 2) });
  await world.create("dev");
  await world.create("two");
  const records = await world.records();
  assert.deepEqual(
    records.map(({ phase, target, requestedBy }) => [phase, target, requestedBy]),
    [
      ["REQUESTED", "environments/dev", 0],
      ["REQUESTED", "environments/two", 0],
      ["COMPLETED", "environments/two", 2],
    ],
  );
  assert.equal((await verifyStore(world.store)).problem, null);
  await world.close();
});

Deno.test("refused calls are recorded with the permission, and never before they are decided", async () => {
  const world = await open({ authorizer: denying });
  await assert.rejects(world.create("dev"), DENIED);
  await assert.rejects(world.get("dev"), DENIED);
  const records = await world.records();
  assert.deepEqual(
    records.map(({ phase, actor, groups, target, result, reason }) => [
      phase,
      actor,
      groups[0],
      target,
      result,
      reason,
    ]),
    Array(2).fill([
      "COMPLETED",
      "ann",
      "ops",
      "environments/dev",
      "PERMISSION_DENIED",
      "CLUSTER_FORBIDS",
    ]),
  );
  assert.deepEqual(records.map(({ permission }) => permission), [
    "environments.create",
    "environments.get",
  ]);
  await world.close();
});

Deno.test("a call without valid credentials is recorded without an actor", async () => {
  const world = await open({
    principal: () => {
      throw new ConnectError("no credentials", 16);
    },
  });
  await assert.rejects(world.get("dev"));
  await assert.rejects(world.create("dev"));
  assert.deepEqual(
    (await world.records()).map(({ actor, method, result }) => [actor, method, result]),
    ["GetEnvironment", "CreateEnvironment"].map((method) => [
      "",
      `mpc.v1.EnvironmentService/${method}`,
      "UNAUTHENTICATED",
    ]),
  );
  await world.close();
});

Deno.test("a flood of refusals takes bounded space, and every one of them is counted", async () => {
  let calls = 0;
  const world = await open({
    authorizer: denying,
    principal: () => `user:${calls++ % 200}`,
  });
  const { clock } = world.platform;
  for (let round = 0; round < 3; round++) {
    for (let call = 0; call < 2_000; call++) await assert.rejects(world.get(`e-${call}`), DENIED);
    await clock.advance(60_000);
  }
  const records = await world.records();
  assert.equal(records.reduce((sum, { count }) => sum + count, 0), 6_000);
  assert.ok(records.length <= 3 * (300 + 61), `${records.length} records`);
  const many = records.find(({ count }) => count > 100);
  assert.deepEqual([many?.actor, many?.target, many?.result], ["", "", "PERMISSION_DENIED"]);
  assert.equal((await verifyStore(world.store)).problem, null);
  await world.close();
});

Deno.test("counted refusals are recorded within seconds, so that a killed process loses few", async () => {
  const world = await open({ authorizer: denying });
  const { clock } = world.platform;
  const counted = async () =>
    (await world.records()).filter(({ count }) => count > 1).map(({ count }) => count);
  const refuse = async (calls: number) => {
    for (let call = 0; call < calls; call++) await assert.rejects(world.get("dev"), DENIED);
  };
  await refuse(30 + 70);
  await clock.advance(1_000);
  assert.deepEqual(await counted(), [70], "after a second");
  await refuse(80);
  await clock.advance(5_000);
  assert.deepEqual(await counted(), [70, 80]);
  await refuse(90);
  await clock.advance(15_000);
  assert.deepEqual(await counted(), [70, 80, 90]);
  for (let second = 21; second < 60; second++) {
    await refuse(2);
    await clock.advance(1_000);
  }
  assert.deepEqual(await counted(), [70, 80, 90, 78], "and once more in this minute");
  await world.close();
});

Deno.test("refusals that were counted are recorded when the process stops", async () => {
  const world = await open({
    authorizer: denying,
  });
  for (let call = 0; call < 100; call++) await assert.rejects(world.get("dev"), DENIED);
  assert.equal((await world.records()).length, 30);
  const { store } = world;
  const records = async () => (await store.audit.list({ limit: 100 })).items;
  const close = store.close;
  store.close = () => Promise.resolve();
  await world.close();
  assert.equal((await records()).at(-1)?.value.count, 70);
  await close();
});
