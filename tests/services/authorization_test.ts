/** Every use case calls the authorizer before it reads or writes what its response could reveal. */
import assert from "node:assert/strict";
import { type Filter, MpcError } from "@mpc/domain";
import * as services from "@mpc/services";
import type { Authorizer, Caller, ServiceDeps } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import {
  aDeadLetter,
  anEnvironment,
  anEventSink,
  anOperation,
  aWorkload,
} from "../fakes/documents.ts";
import { Platform } from "../fakes/platform.ts";
import { rejectsWith } from "../fakes/rejects.ts";

const denied = () =>
  Promise.reject(
    new MpcError("PERMISSION_DENIED", { reason: "CLUSTER_FORBIDS", message: "denied" }),
  );
const denying: Authorizer = { ...services.allowEverything, authorize: denied, visible: denied };
const page = { pageSize: 0, pageToken: "", filter: "", orderBy: "" };
const deletion = { etag: "", force: true, allowMissing: true, abandon: false, timeoutMs: null };
const watch = { target: "", kinds: [], resumeToken: "", skipExisting: false };

const ANN = { principal: "user:ann", groups: [] };

type UseCase = (deps: ServiceDeps, caller: Caller, id: string) => unknown;

const env = (id: string) => `environments/${id}`;
const web = (id: string) => `${env(id)}/workloads/web`;
const op = (id: string) => `operations/${OPERATIONS[id] ?? UNKNOWN}`;
const OPERATIONS: Readonly<Record<string, string>> = {
  dev: "00000000-0000-4000-8000-000000000001",
  prod: "00000000-0000-4000-8000-000000000002",
};
const UNKNOWN = "00000000-0000-4000-8000-000000000009";

const USE_CASES: Readonly<Record<string, UseCase>> = {
  cancelOperation: (d, c, id) =>
    services.cancelOperation(d, c, { name: op(id), reason: "", validateOnly: false }),
  claimCluster: (d, c) => services.claimCluster(d, c, { cluster: "default" }),
  createEnvironment: (d, c, id) =>
    services.createEnvironment(d, c, { environmentId: id, environment: {} }),
  createToken: (d, c) => services.createToken(d, c, { tokenId: "ci", token: {} }),
  deleteEnvironment: (d, c, id) => services.deleteEnvironment(d, c, { ...deletion, name: env(id) }),
  deleteWorkload: (d, c, id) => services.deleteWorkload(d, c, { ...deletion, name: web(id) }),
  deployWorkload: (d, c, id) =>
    services.deployWorkload(d, c, {
      parent: env(id),
      workloadId: "web",
      workload: { spec: { image: "nginx:1.27" } },
      etag: "",
      timeoutMs: null,
    }),
  diagnose: (d, c) => services.diagnose(d, c),
  explainOperation: (d, c, id) => services.explainOperation(d, c, op(id)),
  getEnvironment: (d, c, id) => services.getEnvironment(d, c, env(id)),
  getOperation: (d, c, id) => services.getOperation(d, c, op(id)),
  getRevision: (d, c, id) => services.getRevision(d, c, `${web(id)}/revisions/1`),
  getWorkload: (d, c, id) => services.getWorkload(d, c, web(id)),
  listAudit: (d, c) => services.listAudit(d, c, page),
  listClusterEvents: (d, c, id) => services.listClusterEvents(d, c, { ...page, parent: web(id) }),
  listDeadLetters: (d, c, id) =>
    services.listDeadLetters(d, c, { ...page, parent: `eventSinks/${id}` }),
  listEnvironments: (d, c) => services.listEnvironments(d, c, page),
  listEventSinks: (d, c) => services.listEventSinks(d, c, page),
  listLeftovers: (d, c) => services.listLeftovers(d, c),
  checkAccess: (d, c) =>
    services.checkAccess(d, c, { ...ANN, permission: "workloads.get", resource: "" }),
  listAccess: (d, c) => services.listAccess(d, c, ANN),
  listOperations: (d, c) => services.listOperations(d, c, page),
  listPods: (d, c, id) => services.listPods(d, c, { ...page, parent: web(id) }),
  listRevisions: (d, c, id) => services.listRevisions(d, c, { ...page, parent: web(id) }),
  listTokens: (d, c) => services.listTokens(d, c, page),
  listWorkloads: (d, c) => services.listWorkloads(d, c, { ...page, parent: env("-") }),
  reconcileWorkload: (d, c, id) => services.reconcileWorkload(d, c, { name: web(id), etag: "" }),
  requestSweep: (d, c) => services.requestSweep(d, c, { leftovers: [] }),
  resendDeadLetters: (d, c, id) =>
    services.resendDeadLetters(d, c, { parent: `eventSinks/${id}`, names: [] }),
  restartWorkload: (d, c, id) => services.restartWorkload(d, c, { name: web(id), etag: "" }),
  retryOperation: (d, c, id) => services.retryOperation(d, c, { name: op(id) }),
  revokeToken: (d, c) =>
    services.revokeToken(d, new services.StaticTokens(d), c, {
      name: "tokens/ci",
      allowMissing: false,
    }),
  rollbackWorkload: (d, c, id) =>
    services.rollbackWorkload(d, c, { name: web(id), etag: "", revision: 0 }),
  scaleWorkload: (d, c, id) =>
    services.scaleWorkload(d, c, { name: web(id), etag: "", replicas: 2 }),
  streamLogs: (d, c, id) =>
    services.streamLogs(d, c, {
      name: web(id),
      follow: false,
      tail: null,
      since: null,
      replica: null,
    }).next(),
  sweepObjects: (d, c) => services.sweepObjects(d, c, { leftovers: [] }),
  updateEnvironment: (d, c, id) =>
    services.updateEnvironment(d, c, { name: env(id), etag: "", change: {} }),
  verifyAuditLog: (d, c) => services.verifyAuditLog(d, c, null),
  waitOperation: (d, c, id) => services.waitOperation(d, c, op(id), 0),
  watchAudit: (d, c) => {
    const request = { filter: "", after: 0, skipExisting: false };
    const trail = new services.AuditChain(d);
    return services.watchAudit(d, trail, c, request).next();
  },
  watchEvents: (d, c) => services.watchEvents(d, c, watch).next(),
  watchOperation: (d, c, id) => services.watchOperation(d, c, op(id)).next(),
};

/** Exported functions that are part of the platform's own work, without a caller. */
const NO_USE_CASES = [
  "AuditChain",
  "RefusalLog",
  "RepeatedDecisions",
  "StaticTokens",
  "advanceMark",
  "auditedAuthorizer",
  "auditedStore",
  "requestedChanges",
  "runAudited",
  "assertEngine",
  "assertName",
  "claimedElsewhere",
  "describeDrift",
  "dropUnadmitted",
  "environmentEvent",
  "isAdmitted",
  "isApplied",
  "isPermission",
  "isScoped",
  "isUnreadable",
  "needOf",
  "operationEvent",
  "pagesOf",
  "permissionOf",
  "rememberingAuthorizer",
  "sleepUnlessAborted",
  "sleepUntil",
  "systemCaller",
  "systemPrincipal",
  "takeOverOperations",
  "updateDocument",
  "workloadEvent",
];

/** A platform with an environment, a workload and an ended operation in `dev` and in `prod`. */
async function filled(): Promise<Platform> {
  const store = openMemoryStore();
  const platform = await Platform.start({ store });
  await platform.crash();
  for (const id of ["dev", "prod"]) {
    await store.environments.create(anEnvironment(id));
    await store.workloads.create(aWorkload(id, "web"));
    await store.eventSinks.create(anEventSink(id));
    await store.deadLetters.create(aDeadLetter(id, 1));
    await store.operations.create(
      anOperation(OPERATIONS[id] ?? "", { target: env(id), state: "FAILED" }),
    );
  }
  return platform;
}

Deno.test("every function that services export is listed as a use case or not", () => {
  const functions = Object.entries(services).filter(([, it]) => typeof it === "function");
  assert.deepEqual(
    functions.map(([name]) => name).sort(),
    [...Object.keys(USE_CASES), ...NO_USE_CASES].sort(),
  );
});

for (const [name, run] of Object.entries(USE_CASES)) {
  Deno.test(`${name}() is denied in the same way for existing and missing resources, and changes nothing`, async () => {
    const platform = await filled();
    const deps = { ...platform.deps, authorizer: denying };
    const before = await platform.store.events.head();
    for (const id of ["dev", "missing"]) {
      await rejectsWith(
        Promise.resolve(run(deps, platform.caller, id)),
        "PERMISSION_DENIED",
        "CLUSTER_FORBIDS",
      );
    }
    assert.equal(await platform.store.events.head(), before, "no event was written");
    assert.equal(await platform.store.operations.count({}), 2, "no operation was written");
    assert.equal(await platform.store.orphans.count({}), 0, "no orphan was written");
  });
}

/** Lets a caller see only what belongs to `dev`. */
const devOnly: Authorizer = {
  ...services.allowEverything,
  authorize: () => Promise.resolve(),
  visible: (_caller, permission) => {
    const path = [permission === "operations.get" ? "target" : "name"];
    const terms: readonly Filter[] = [env("dev"), `${env("dev")}/*`]
      .map((value) => ({ op: "=", path, value }));
    return Promise.resolve({ op: "or", terms });
  },
};

Deno.test("lists leave out what the caller may not see, without gaps in pages", async () => {
  const { deps: bare, caller } = await filled();
  const deps = { ...bare, authorizer: devOnly };
  const small = { ...page, pageSize: 1 };
  for (
    const { items, nextPageToken } of [
      await services.listEnvironments(deps, caller, small),
      await services.listWorkloads(deps, caller, { ...small, parent: env("-") }),
      await services.listOperations(deps, caller, small),
    ]
  ) {
    assert.equal(items.length, 1);
    assert.match(JSON.stringify(items), /dev/);
    assert.doesNotMatch(JSON.stringify(items), /prod/);
    assert.equal(nextPageToken, "", "there is no hint at more");
  }
});

async function* flat<T>(batches: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const batch of batches) yield* batch;
}

Deno.test("a watch leaves out what the caller may not see, at first and later", async () => {
  const { deps: bare, caller, store } = await filled();
  const deps = { ...bare, authorizer: devOnly };
  const stop = new AbortController();
  const seen: string[] = [];
  const events = services.watchEvents(deps, { ...caller, signal: stop.signal }, watch);
  for await (const it of flat(events)) {
    if (it.type === "synced") {
      for (const id of ["prod", "dev"]) {
        const stored = await store.environments.get(env(id));
        assert.ok(stored);
        const facts = {
          reason: "Ready" as const,
          message: "",
          operation: null,
          actor: "ann",
          time: 1,
        };
        const next = { value: stored.value, version: stored.version + 1 };
        await store.environments.replace(stored.value, stored.version, {
          events: [services.environmentEvent(next, facts)],
        });
      }
      continue;
    }
    seen.push(it.type === "event" ? `event ${it.event.target}` : it.snapshot.value.name);
    if (it.type === "event") stop.abort();
  }
  assert.deepEqual(seen, [env("dev"), web("dev"), op("dev"), `event ${env("dev")}`]);
});
