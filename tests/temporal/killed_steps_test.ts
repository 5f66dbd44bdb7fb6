/**
 * A worker is killed inside every step of every kind, before and after the step's work; then the
 * operation goes on, is cancelled, or is preempted by a deletion. On Temporal it ends as it does on
 * the embedded engine.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterName, isTerminal, type Operation } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import {
  type Caller,
  cancelOperation,
  claimCluster,
  createEnvironment,
  deleteEnvironment,
  deleteWorkload,
  deployWorkload,
  listLeftovers,
  type MutationResult,
  requestSweep,
  type ServiceDeps,
  updateEnvironment,
} from "@mpc/services";
import { DEFINITIONS } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { aCaller } from "../fakes/a_caller.ts";
import { faultyDefinitions, hang } from "../fakes/faulty_definitions.ts";
import { withPlatform } from "../fakes/platform.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startDeno } from "../servers/subprocess.ts";
import { EXACT_TIMERS, startTemporalServer } from "../servers/temporal_server.ts";
import { workflowBundle } from "../servers/workflow_bundle.ts";
import { HELD_POINTS, type HeldPoint } from "./held_points.ts";
import { depsOf, TemporalWorld } from "./temporal_world.ts";

const PATIENCE_MS = 60_000;

/** One point on one platform. */
interface Place extends HeldPoint {
  readonly deps: ServiceDeps;
  readonly caller: Caller;
}

const parentOf = ({ environment }: HeldPoint) => `environments/${environment}`;
const workloadOf = (point: HeldPoint) => `${parentOf(point)}/workloads/web`;
const deletion = { etag: "", allowMissing: false, timeoutMs: null };

const create = ({ deps, caller, environment: environmentId }: Place) =>
  createEnvironment(deps, caller, { environmentId, environment: {} });

const deploy = (place: Place) =>
  deployWorkload(place.deps, place.caller, {
    parent: parentOf(place),
    workloadId: "web",
    workload: { spec: { image: "nginx:1", replicas: 1 } },
    etag: "",
    timeoutMs: null,
  });

const removeEnvironment = (place: Place, abandon = false) =>
  deleteEnvironment(place.deps, place.caller, {
    ...deletion,
    name: parentOf(place),
    force: true,
    abandon,
  });

const removeWorkload = (place: Place, abandon = false) =>
  deleteWorkload(place.deps, place.caller, { ...deletion, name: workloadOf(place), abandon });

/** What must be there before, in the order in which it is requested. */
function preparations({ kind }: HeldPoint): readonly ((place: Place) => Promise<MutationResult>)[] {
  switch (kind) {
    case "environment.create":
    case "platform.claim":
      return [];
    case "environment.update":
    case "workload.deploy":
      return [create];
    default:
      return [create, deploy];
  }
}

/** Claims a cluster that has the name of the environment. */
async function claim({ deps, caller, environment: cluster }: Place): Promise<MutationResult> {
  const claim = { token: null, next: null, renewTime: 0, lost: null };
  await deps.store.claims.create({ name: clusterName(cluster), ...claim });
  return await claimCluster(deps, caller, { cluster });
}

/** Loses the records of an environment, and removes what is without a record then. */
async function sweepForgotten(place: Place): Promise<MutationResult> {
  const { deps, caller } = place;
  const [environment, workload] = [parentOf(place), workloadOf(place)];
  const { store } = deps;
  await store.workloads.delete(workload, (await store.workloads.get(workload))!.version);
  await store.environments.delete(
    environment,
    (await store.environments.get(environment))!.version,
  );
  const { leftovers } = await listLeftovers(deps, caller);
  const own = leftovers.filter(({ target }) => [environment, workload].includes(target));
  return await requestSweep(deps, caller, { leftovers: own });
}

function request(place: Place): Promise<MutationResult> {
  switch (place.kind) {
    case "environment.create":
      return create(place);
    case "environment.update":
      return updateEnvironment(place.deps, place.caller, {
        name: parentOf(place),
        etag: "",
        change: { labels: { team: "search" } },
      });
    case "workload.deploy":
      return deploy(place);
    case "environment.delete":
    case "environment.abandon":
      return removeEnvironment(place, place.kind === "environment.abandon");
    case "workload.delete":
    case "workload.abandon":
      return removeWorkload(place, place.kind === "workload.abandon");
    case "platform.sweep":
      return sweepForgotten(place);
    case "platform.claim":
      return claim(place);
  }
}

/** Stops it as the point says. @returns the name of the deletion that preempts it, if any */
async function stop(place: Place, name: string): Promise<string | null> {
  switch (place.way) {
    case "goes on":
      return null;
    case "cancelled": {
      const { deps, caller } = place;
      await cancelOperation(deps, caller, { name, reason: "tested", validateOnly: false });
      return null;
    }
    case "preempted": {
      const remove = place.kind === "workload.deploy" ? removeWorkload : removeEnvironment;
      return (await remove(place)).operation!.value.name;
    }
  }
}

/** All that must not depend on the engine. */
async function endOf(point: HeldPoint, store: Store, name: string, deletion: string | null) {
  const record = async (name: string) => (await store.operations.get(name))!.value;
  const { state, steps, error, residue, cancellation } = await record(name);
  return {
    state,
    cancelled: cancellation !== null,
    error: error?.message,
    residue,
    steps: steps.map(({ name, state }) => [name, state]),
    deletion: deletion && (await record(deletion)).state,
    environment: (await store.environments.get(parentOf(point)))?.value.state,
    workload: (await store.workloads.get(workloadOf(point)))?.value.state,
  };
}

/** How it ends on the embedded engine. */
async function embeddedEnd(point: HeldPoint) {
  const held = Promise.withResolvers<void>();
  const { definitions } = faultyDefinitions([{
    kind: point.kind,
    step: point.step,
    async run(run) {
      if (point.moment === "after") await run();
      held.resolve();
      return await hang();
    },
  }]);
  let end: Awaited<ReturnType<typeof endOf>> | undefined;
  await withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    const place = { ...point, deps, caller };
    for (const prepare of preparations(point)) await platform.ended(await prepare(place));
    await platform.crash();
    platform.definitions = definitions;
    await platform.restart();
    const { operation } = await request(place);
    const { name } = operation!.value;
    await held.promise;
    await platform.crash();
    platform.definitions = DEFINITIONS;
    const deletion = await stop(place, name);
    await platform.restart();
    await platform.settle();
    end = await endOf(point, store, name, deletion);
  });
  return end!;
}

/** Waits until operations have ended. */
async function allEnded(store: Store, names: readonly string[]): Promise<void> {
  const waiting = new Set(names);
  const look = async (name: string) => {
    const operation: Operation | undefined = (await store.operations.get(name))?.value;
    if (!operation || isTerminal(operation.state)) waiting.delete(name);
  };
  const late = AbortSignal.timeout(PATIENCE_MS);
  const head = await store.events.head();
  for (const name of names) await look(name);
  if (waiting.size === 0) return;
  for await (const { operation } of store.events.tail(head, late)) {
    if (operation && waiting.has(operation)) await look(operation);
    if (waiting.size === 0) return;
  }
  assert.fail(`these do not end: ${[...waiting].join(", ")}`);
}

async function prepareAll(store: Store, places: readonly Place[]): Promise<void> {
  for (const round of [0, 1]) {
    const results = await Promise.all(places.map((place) => preparations(place)[round]?.(place)));
    await allEnded(store, results.flatMap((result) => result?.operation?.value.name ?? []));
  }
}

Deno.test({
  name: "a worker killed inside any step: its operation ends as on the embedded engine",
  ...NO_SANITIZERS,
  async fn(t) {
    const directory = await mkdtemp(join(tmpdir(), "mpc-killed-"));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(directory, { recursive: true }));
    const server = await startTemporalServer({ dynamicConfig: EXACT_TIMERS });
    stack.defer(() => server.stop());
    const storePath = join(directory, "mpc.db");
    const statePath = join(directory, "cluster.db");
    const store = openSqliteStore({ path: storePath, shared: true });
    stack.defer(() => store.close());
    const provider = new SimulatedProvider({ clock: systemClock, delays: NO_DELAYS, statePath });
    stack.defer(() => provider.close());
    const worker = startDeno([
      ...["run", "-A", "--no-prompt", new URL("held_worker.ts", import.meta.url).pathname],
      ...[server.address, "mpc", storePath, statePath, await workflowBundle()],
    ]);
    const killed = async () => {
      worker.kill("SIGKILL");
      await worker.status;
    };
    stack.defer(killed);
    await worker.line((line) => line === "ready" || undefined);
    const deps = depsOf(store, provider);
    const places = HELD_POINTS.map((point) => ({ ...point, deps, caller: aCaller() }));
    await prepareAll(store, places);
    const names = new Map<HeldPoint, string>();
    for (const place of places) names.set(place, (await request(place)).operation!.value.name);
    await Promise.all(
      places.map(({ environment }) =>
        worker.line((line) => line === `held ${environment}` || undefined)
      ),
    );
    await killed();
    await using _world = await TemporalWorld.start(server.address, { store, provider });
    const deletions = new Map<HeldPoint, string | null>();
    for (const place of places) deletions.set(place, await stop(place, names.get(place)!));
    await allEnded(store, [
      ...names.values(),
      ...[...deletions.values()].filter((name) => name !== null),
    ]);
    for (const place of places) {
      const { kind, step, moment, way } = place;
      await t.step(`${kind}: ${moment} the work of ${step}: ${way}`, async () => {
        const end = await endOf(place, store, names.get(place)!, deletions.get(place)!);
        assert.deepEqual(end, await embeddedEnd(place));
      });
    }
  },
});
