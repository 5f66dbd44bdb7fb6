/**
 * Outages of a real API server while an operation runs: each kind of step that calls a cluster,
 * interrupted at its requests, before the request is sent and when its answer is due.
 */
import assert from "node:assert/strict";
import { isTerminal, type Operation } from "@mpc/domain";
import { systemIds } from "@mpc/process";
import {
  allowEverything,
  type Clock,
  createEnvironment,
  deleteEnvironment,
  deleteWorkload,
  deployWorkload,
  explainOperation,
  type MutationResult,
  type ServiceDeps,
  updateEnvironment,
} from "@mpc/services";
import { createPlanner } from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { Dispatcher, EmbeddedEngine } from "@mpc/worker";
import type { KubeClient } from "../../worker/providers/kubernetes/client/kube_client.ts";
import { HttpKubeClient, KubernetesProvider } from "../../worker/providers/kubernetes/mod.ts";
import { aCaller } from "../fakes/a_caller.ts";
import { fastClock } from "../fakes/fast_clock.ts";
import type { KubeApiServer } from "../servers/kube_api_server.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";
import { type ProxyMode, startTcpProxy, type TcpProxy } from "../servers/tcp_proxy.ts";

/** How much faster the platform's time passes than the API server's. */
const FACTOR = 8;
const SECOND = 1_000;

/** The real time that a trial may take. */
const PATIENCE_MS = 60_000;

/** Trials that run at the same time; each has a network and a control plane of its own. */
const AT_ONCE = 6;

/** At how many of a change's requests it is interrupted; deletions make dozens, most of them reads. */
const MAX_POINTS = 6;

let folder: string;
let server: KubeApiServer;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "mpc-outage-" });
  server = await startKwokCluster(folder, 2);
});

Deno.test.afterAll(async () => {
  await server?.stop();
  await Deno.remove(folder, { recursive: true });
});

/** Where and how the network is interrupted. */
interface Interruption {
  /** The request of the step's first try, from 1. */
  readonly request: number;
  readonly when: "before" | "after";
  readonly how: Exclude<ProxyMode, "forward">;
  readonly ms: number;
}

/** The network of one control plane, which is cut once after `arm`. */
class Network {
  readonly #proxy: TcpProxy;
  readonly #clock: Clock;
  #next: Interruption | undefined;
  requests = 0;
  #restored: Promise<void> | undefined;

  constructor(proxy: TcpProxy, clock: Clock) {
    this.#proxy = proxy;
    this.#clock = clock;
  }

  arm(interruption: Interruption | undefined): void {
    this.requests = 0;
    this.#next = interruption;
  }

  get wasCut(): boolean {
    return this.#restored !== undefined;
  }

  /** Resolves when the network is whole again. */
  async restored(): Promise<void> {
    await this.#restored;
  }

  async pass<T>(request: () => Promise<T>): Promise<T> {
    const number = ++this.requests;
    const cut = this.#next?.request === number ? this.#next : undefined;
    if (cut?.when === "before") this.#cut(cut);
    const answer = await request();
    if (cut?.when === "after") {
      this.#cut(cut);
      // The answer is lost: the caller finds out as it would on the broken connection.
      return await request();
    }
    return answer;
  }

  #cut({ how, ms }: Interruption): void {
    this.#next = undefined;
    this.#proxy.set(how);
    this.#restored = this.#clock.sleep(ms).then(() => this.#proxy.set("forward"));
  }
}

/** A client whose requests pass the network one by one. */
const through = (network: Network, client: KubeClient): KubeClient => ({
  cluster: client.cluster,
  get: (ref, call) => network.pass(() => client.get(ref, call)),
  namespacedKinds: (call) => network.pass(() => client.namespacedKinds(call)),
  list: (kind, selection, call) =>
    // The shared watches list everything; they are not part of a step.
    selection.namespace === undefined
      ? client.list(kind, selection, call)
      : network.pass(() => client.list(kind, selection, call)),
  apply: (object, options) => network.pass(() => client.apply(object, options)),
  delete: (ref, options) => network.pass(() => client.delete(ref, options)),
  watch: (kind, selection, from) => client.watch(kind, selection, from),
  review: (question, call) => client.review(question, call),
  podLogs: (query) => client.podLogs(query),
  close: () => client.close(),
});

/** A control plane whose way to the API server is the network. */
class World implements AsyncDisposable {
  readonly caller = aCaller();
  readonly deps: ServiceDeps;
  readonly network: Network;
  readonly #store: Store = openMemoryStore();
  readonly #provider: KubernetesProvider;
  readonly #engine: EmbeddedEngine;
  readonly #dispatcher: Dispatcher;
  readonly #proxy: TcpProxy;

  private constructor(kubeconfig: string, proxy: TcpProxy) {
    const [store, clock] = [this.#store, fastClock(FACTOR)];
    this.#proxy = proxy;
    this.network = new Network(proxy, clock);
    const access = { cluster: "east", kubeconfig, context: null };
    const client = through(this.network, new HttpKubeClient({ access, clock }));
    const provider = new KubernetesProvider({ client, clock, installation: "test", charts: null });
    this.#provider = provider;
    this.#engine = new EmbeddedEngine({ store, provider, clock, ids: systemIds });
    this.#dispatcher = new Dispatcher({ store, clock, engine: this.#engine });
    this.deps = {
      ...{ store, clock, ids: systemIds, cluster: provider, engine: "embedded" },
      ...{ planner: createPlanner(store, provider), authorizer: allowEverything },
    };
  }

  static async start(): Promise<World> {
    const proxy = startTcpProxy(Number(new URL(server.url).port));
    const kubeconfig = `${folder}/${crypto.randomUUID()}.kubeconfig`;
    const text = await Deno.readTextFile(server.kubeconfig);
    const address = `https://127.0.0.1:${proxy.port}`;
    await Deno.writeTextFile(kubeconfig, text.replaceAll(server.url, address));
    const world = new World(kubeconfig, proxy);
    await world.#dispatcher.start();
    return world;
  }

  /** Waits for the end of an admitted operation. @returns its record, and its states on the way */
  async ended({ operation }: MutationResult): Promise<Seen> {
    assert.ok(operation, "the change was admitted");
    const { name } = operation.value;
    const records: Operation[] = [];
    const late = AbortSignal.timeout(PATIENCE_MS);
    for await (const { resource } of this.#store.events.tail(0, late)) {
      if (resource?.value.name !== name) continue;
      const { value } = (await this.#store.operations.get(name))!;
      records.push(value);
      if (isTerminal(value.state)) return { ended: value, records };
    }
    assert.fail(`'${name}' does not end`);
  }

  async succeeds(change: Promise<MutationResult>): Promise<void> {
    const { ended } = await this.ended(await change);
    assert.equal(ended.state, "SUCCEEDED", `${ended.error?.message}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.network.restored();
    await this.#dispatcher.close();
    await this.#engine.close();
    await this.#provider.close();
    await this.#proxy[Symbol.asyncDispose]();
  }
}

interface Seen {
  readonly ended: Operation;
  readonly records: readonly Operation[];
}

type Change = (world: World, environment: string) => Promise<MutationResult>;

const create: Change = ({ deps, caller }, environmentId) =>
  createEnvironment(deps, caller, { environmentId, environment: { quota: { workloads: 3 } } });

const deploy = (image: string): Change => ({ deps, caller }, id) =>
  deployWorkload(deps, caller, {
    parent: `environments/${id}`,
    workloadId: "web",
    workload: { spec: { image, env: { KEY: "value" }, ports: [{ port: 8080 }] } },
    etag: "",
    timeoutMs: null,
  });

const DELETION = { etag: "", allowMissing: false, abandon: false, timeoutMs: null };

/** Every kind of step that calls a cluster is in one of these operations. */
const CHANGES: readonly (readonly [string, before: readonly Change[], Change])[] = [
  ["environment.create", [], create],
  ["environment.update", [create], ({ deps, caller }, id) =>
    updateEnvironment(deps, caller, {
      name: `environments/${id}`,
      etag: "",
      change: { labels: { team: "search" }, quota: { workloads: 5 } },
    })],
  ["workload.deploy", [create], deploy("nginx:1.27")],
  ["workload.deploy over another revision", [create, deploy("nginx:1.27")], deploy("nginx:1.28")],
  [
    "workload.delete",
    [create, deploy("nginx:1.27")],
    ({ deps, caller }, id) =>
      deleteWorkload(deps, caller, { ...DELETION, name: `environments/${id}/workloads/web` }),
  ],
  [
    "environment.delete",
    [create, deploy("nginx:1.27")],
    ({ deps, caller }, id) =>
      deleteEnvironment(deps, caller, { ...DELETION, name: `environments/${id}`, force: true }),
  ],
];

let environments = 0;

/** Makes one change over an interrupted network. @returns the number of its requests */
async function trial(
  before: readonly Change[],
  change: Change,
  interruption?: Interruption,
): Promise<number> {
  await using world = await World.start();
  const environment = `outage-${environments++}`;
  for (const earlier of before) await world.succeeds(earlier(world, environment));
  const requested = await change(world, environment);
  world.network.arm(interruption);
  const { ended, records } = await world.ended(requested);
  const { requests } = world.network;
  assert.equal(ended.state, "SUCCEEDED", `${ended.error?.message}`);
  assert.deepEqual(ended.residue, []);
  for (const { name, attempts } of ended.steps) {
    assert.equal(attempts.length, 1, `step '${name}' used one attempt`);
  }
  // How often a wait reads depends on the time that the cluster takes.
  const isReached = interruption && interruption.request <= requests;
  if (isReached) assert.ok(world.network.wasCut, "the network was cut");
  // A step that waits on a watch does not notice an outage that is over before it looks.
  const told = records.flatMap(({ steps }) => steps.map(({ progress }) => progress))
    .filter((progress) => /has not answered since/.test(progress));
  for (const text of told) {
    assert.match(text, /^cluster 'east' has not answered since \S+Z; it is tried again at \S+Z, /);
  }
  return requests;
}

/** Runs trials, several at the same time. */
async function inParallel(trials: readonly (() => Promise<unknown>)[]): Promise<void> {
  const queue = [...trials];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await next();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Numbers up to a last one; of many only some, evenly spread, with the first and the last. */
function pointsUpTo(last: number): readonly number[] {
  const count = Math.min(last, MAX_POINTS);
  return Array.from(
    { length: count },
    (_, index) => count === 1 ? 1 : 1 + Math.round(index * (last - 1) / (count - 1)),
  );
}

for (const [title, before, change] of CHANGES) {
  Deno.test(`${title} survives an outage at its requests`, async () => {
    const requests = await trial(before, change);
    assert.ok(requests > 0);
    await inParallel(
      pointsUpTo(requests).flatMap((request) =>
        (["before", "after"] as const).map((when) => () =>
          trial(before, change, { request, when, how: "close", ms: 7 * SECOND })
        )
      ),
    );
  });
}

Deno.test("operations survive longer outages, and a server that is silent", () =>
  inParallel(CHANGES.flatMap(([, before, change]) => [
    () => trial(before, change, { request: 2, when: "before", how: "close", ms: 120 * SECOND }),
    () => trial(before, change, { request: 1, when: "after", how: "close", ms: 25 * SECOND }),
    () => trial(before, change, { request: 2, when: "after", how: "silence", ms: 25 * SECOND }),
  ])));

Deno.test({
  name: "explain says since when the API server is away, and an operation goes on when it is back",
  // The server is a process that the suite replaces.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using world = await World.start();
    await server.interrupt();
    const requested = await create(world, "stopped");
    const { name } = requested.operation!.value;
    const explanation = await waiting(world, name);
    assert.match(
      explanation.summary,
      /^environment\.create of 'environments\/stopped' waits at step 'create_namespace': cluster 'east' has not answered since \S+Z; it is tried again at \S+Z, and the operation goes on by itself until \S+Z$/,
    );
    assert.equal(explanation.responsible, "cluster");
    assert.equal(explanation.causes[0]?.reason, "CLUSTER_UNREACHABLE");
    await server.resume();
    const { ended } = await world.ended(requested);
    assert.equal(ended.state, "SUCCEEDED", `${ended.error?.message}`);
    assert.equal(ended.steps[0]?.attempts.length, 1);
  },
});

/** What explain says when the operation has begun to wait. */
async function waiting({ deps, caller }: World, name: string) {
  for await (const _ of deps.store.events.tail(0, AbortSignal.timeout(PATIENCE_MS))) {
    const explanation = await explainOperation(deps, caller, name);
    if (/ waits at step /.test(explanation.summary)) return explanation;
  }
  assert.fail("it does not wait");
}
