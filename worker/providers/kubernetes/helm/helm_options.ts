import {
  AUTOSCALER,
  CONFIG_MAP,
  CRON_JOB,
  DAEMON_SET,
  DEPLOYMENT,
  DISRUPTION_BUDGET,
  INGRESS,
  JOB,
  keyOf,
  PERSISTENT_VOLUME_CLAIM,
  SECRET,
  SERVICE,
  SERVICE_ACCOUNT,
  STATEFUL_SET,
} from "../client/kinds.ts";
import type { ObjectKind } from "../client/kube_object.ts";

/** How charts are rendered, and which charts and kinds are allowed. */
export interface HelmOptions {
  /** Path of the helm program, or its name on `PATH`. */
  readonly helm: string;
  /** Folder of charts; null for none. */
  readonly chartsFolder: string | null;
  /** Allowed prefixes of charts in registries, for instance `oci://registry.example.com/team/`. */
  readonly repositories: readonly string[];
  /** Where helm caches charts; null without repositories. */
  readonly cacheFolder: string | null;
  /** Helm's file with credentials for registries; null for none. */
  readonly registryConfig: string | null;
  /** The Kubernetes version that charts see, for instance `1.34.4`. */
  readonly kubeVersion: string;
  /** Whether hooks are applied, as ordinary objects. */
  readonly allowHooks: boolean;
  /**
   * Namespaced kinds in addition to {@linkcode CHART_KINDS}, for instance `Certificate`. Every
   * cluster must have them, because pruning lists them.
   */
  readonly allowedKinds: readonly ObjectKind[];
  /** Cluster-scoped kinds, for instance `ClusterRole`. They affect more than the environment. */
  readonly allowedClusterKinds: readonly ObjectKind[];
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
}

/** Allows no charts until a folder or a repository is set. */
export const DEFAULT_HELM_OPTIONS: HelmOptions = {
  helm: "helm",
  chartsFolder: null,
  repositories: [],
  cacheFolder: null,
  registryConfig: null,
  kubeVersion: "1.34.4",
  allowHooks: false,
  allowedKinds: [],
  allowedClusterKinds: [],
  timeoutMs: 30_000,
  maxOutputBytes: 4 * 1024 * 1024,
};

/**
 * The kinds that charts may contain by default. Cluster-scoped kinds are excluded, and so are the
 * kinds that restrict an environment: network policies, quotas and permissions.
 */
export const CHART_KINDS: readonly ObjectKind[] = [
  ...[SECRET, CONFIG_MAP, PERSISTENT_VOLUME_CLAIM, SERVICE_ACCOUNT, SERVICE],
  ...[DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB],
  ...[AUTOSCALER, DISRUPTION_BUDGET, INGRESS],
];

export const isOneOf = (kinds: readonly ObjectKind[], object: ObjectKind): boolean =>
  kinds.some((kind) => keyOf(kind) === keyOf(object));
