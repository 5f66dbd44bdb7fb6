import { NO_QUOTA, type OperationKind, parseWorkloadSpec } from "@mpc/domain";
import {
  claimCluster,
  createEnvironment,
  deleteEnvironment,
  type DeleteEnvironmentRequest,
  deleteWorkload,
  type DeleteWorkloadRequest,
  deployWorkload,
  listLeftovers,
  type MutationOptions,
  type MutationResult,
  requestSweep,
  updateEnvironment,
} from "@mpc/services";
import type { PlatformSweepInput } from "@mpc/services/sagas";
import type { Platform } from "./platform.ts";

/** One way to get an operation of a kind: the preparation, and the call. */
export interface Scenario {
  readonly title: string;
  readonly kind: OperationKind;
  readonly prepare: (platform: Platform) => Promise<void>;
  readonly request: (platform: Platform, options?: MutationOptions) => Promise<MutationResult>;
}

const environment = { labels: { team: "web" } };

export const create = (platform: Platform, options: MutationOptions = {}) =>
  createEnvironment(platform.deps, platform.caller, {
    ...options,
    environmentId: "dev",
    environment,
  });

export const update = ({ deps, caller }: Platform, options: MutationOptions = {}) =>
  updateEnvironment(deps, caller, {
    ...options,
    name: "environments/dev",
    etag: "",
    change: { labels: { team: "search" }, quota: { workloads: 3 } },
  });

export const deploy = (
  platform: Platform,
  image = "nginx:1.27",
  replicas = 2,
  options: MutationOptions = {},
) =>
  deployWorkload(platform.deps, platform.caller, {
    ...options,
    parent: "environments/dev",
    workloadId: "web",
    workload: { spec: { image, replicas, ports: [{ port: 80 }], env: { KEY: "secret" } } },
    etag: "",
    timeoutMs: null,
  });

const withEnvironment = async (platform: Platform) => {
  await platform.ended(await create(platform));
};

const withWorkload = async (platform: Platform) => {
  await withEnvironment(platform);
  await platform.ended(await deploy(platform));
};

const deletion = { etag: "", allowMissing: false, abandon: false, timeoutMs: null };

/** Deletes the environment with everything in it. */
export const removeEnvironment = (
  platform: Platform,
  more: Partial<DeleteEnvironmentRequest> = {},
) =>
  deleteEnvironment(platform.deps, platform.caller, {
    ...deletion,
    name: "environments/dev",
    force: true,
    ...more,
  });

export const removeWorkload = (platform: Platform, more: Partial<DeleteWorkloadRequest> = {}) =>
  deleteWorkload(platform.deps, platform.caller, {
    ...deletion,
    name: "environments/dev/workloads/web",
    ...more,
  });

/** Applies a namespace and a workload that no record knows. */
async function leaveBehind({ cluster, caller }: Platform): Promise<void> {
  const left = { environment: "left", labels: {} };
  await cluster.applyNamespace(
    { ...left, uid: "uid-left", quota: NO_QUOTA, cluster: "default" },
    caller,
  );
  const spec = parseWorkloadSpec("test", { image: "nginx:1" });
  const workload = { workload: "web", spec, revision: 1, restartToken: "" };
  await cluster.applyWorkload({ ...left, ...workload, uid: "uid-left-web" }, caller);
}

/** Removes all that has no record. A repeated request names what the first one has listed. */
export async function sweep(
  platform: Platform,
  options: MutationOptions = {},
): Promise<MutationResult> {
  const { deps, caller, store } = platform;
  const { requestId = "" } = options;
  const before = requestId &&
    await store.operations.findByRequestId(caller.principal, requestId);
  const leftovers = before
    ? (before.value.input as PlatformSweepInput).leftovers
    : (await listLeftovers(deps, caller)).leftovers;
  return await requestSweep(deps, caller, { ...options, leftovers });
}

/** Every operation kind, the common ones in several ways. */
export const SCENARIOS: readonly Scenario[] = [
  {
    title: "environment.create",
    kind: "environment.create",
    prepare: () => Promise.resolve(),
    request: create,
  },
  {
    title: "environment.update",
    kind: "environment.update",
    prepare: withEnvironment,
    request: update,
  },
  {
    title: "environment.delete with a workload inside",
    kind: "environment.delete",
    prepare: withWorkload,
    request: removeEnvironment,
  },
  {
    title: "environment.abandon with a workload inside",
    kind: "environment.abandon",
    prepare: withWorkload,
    request: (platform, options) => removeEnvironment(platform, { ...options, abandon: true }),
  },
  {
    title: "workload.deploy, the first",
    kind: "workload.deploy",
    prepare: withEnvironment,
    request: (platform, options) => deploy(platform, "nginx:1.27", 2, options),
  },
  {
    title: "workload.deploy over another revision",
    kind: "workload.deploy",
    prepare: withWorkload,
    request: (platform, options) => deploy(platform, "nginx:1.28", 3, options),
  },
  {
    title: "workload.delete",
    kind: "workload.delete",
    prepare: withWorkload,
    request: removeWorkload,
  },
  {
    title: "workload.abandon",
    kind: "workload.abandon",
    prepare: withWorkload,
    request: (platform, options) => removeWorkload(platform, { ...options, abandon: true }),
  },
  {
    title: "platform.sweep",
    kind: "platform.sweep",
    prepare: leaveBehind,
    async request(platform, options) {
      // Asked again after a failure, there must be something to remove.
      const { leftovers } = await listLeftovers(platform.deps, platform.caller);
      if (leftovers.length === 0 && !options?.requestId) await leaveBehind(platform);
      return await sweep(platform, options);
    },
  },
  {
    title: "platform.claim",
    kind: "platform.claim",
    async prepare({ store }) {
      const claim = { token: null, next: null, renewTime: 0, lost: null };
      await store.claims.create({ name: "clusters/default", ...claim });
    },
    request: ({ deps, caller }, options = {}) =>
      claimCluster(deps, caller, { ...options, cluster: "default" }),
  },
];
