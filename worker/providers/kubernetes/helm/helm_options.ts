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

/** How charts are rendered, and which; what is not said here is refused. */
export interface HelmOptions {
  /** Path of the program, or its name on the path. */
  readonly helm: string;
  /** Folder with the charts that workloads may name; null for none. */
  readonly chartsFolder: string | null;
  /** What a chart in a registry must begin with, for instance `oci://registry.example.com/team/`. */
  readonly repositories: readonly string[];
  /** Where helm keeps what it pulls; null where there are no repositories. */
  readonly cacheFolder: string | null;
  /** Helm's file of credentials for registries; null for none. */
  readonly registryConfig: string | null;
  /** Which version of Kubernetes charts are told, for instance `1.34.4`. */
  readonly kubeVersion: string;
  /** Whether hooks are applied, as the plain objects that they are otherwise. */
  readonly allowHooks: boolean;
  /**
   * Kinds besides {@linkcode CHART_KINDS} that stand in a namespace, for instance `Certificate`;
   * clusters must have them, because what a chart no longer makes is looked for.
   */
  readonly allowedKinds: readonly ObjectKind[];
  /** Kinds that stand in none, for instance `ClusterRole`: they reach beyond the environment. */
  readonly allowedClusterKinds: readonly ObjectKind[];
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
}

/** No charts at all, until a folder or a repository is given. */
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
 * What charts may make. Cluster-scoped kinds are not here, nor are those that an environment is kept
 * in bounds by: policies, quotas and permissions.
 */
export const CHART_KINDS: readonly ObjectKind[] = [
  ...[SECRET, CONFIG_MAP, PERSISTENT_VOLUME_CLAIM, SERVICE_ACCOUNT, SERVICE],
  ...[DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB],
  ...[AUTOSCALER, DISRUPTION_BUDGET, INGRESS],
];

/** Whether an object's kind is one of these. */
export const isOneOf = (kinds: readonly ObjectKind[], object: ObjectKind): boolean =>
  kinds.some((kind) => keyOf(kind) === keyOf(object));
