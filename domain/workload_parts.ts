/** The parts of a workload's spec: types and not interfaces, because documents are JSON. */
import type { JsonObject } from "./json.ts";

export type Port = {
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
};

/** An HTTP check. */
export type HealthCheck = {
  readonly path: string;
  readonly port: number;
  readonly periodMs: number;
};

/** Environment variables whose values lie on the cluster; one of `secret` and `config` is set. */
export type EnvSource = {
  /** Empty: every key of the source is a variable. */
  readonly variable: string;
  /** Empty where `variable` is. */
  readonly key: string;
  readonly secret: string | null;
  readonly config: string | null;
};

/** Something that is mounted into each copy; exactly one of the sources is set. */
export type Volume = {
  /** Unique in the workload; storage is found again by it. */
  readonly name: string;
  readonly path: string;
  readonly readOnly: boolean;
  readonly scratch: ScratchVolume | null;
  readonly storage: StorageVolume | null;
  readonly secret: string | null;
  readonly config: string | null;
};

/** Space that lives as long as a copy. */
export type ScratchVolume = {
  /** Kubernetes quantity; null is no limit. */
  readonly size: string | null;
  readonly inMemory: boolean;
};

/** Space that lives as long as the workload. */
export type StorageVolume = {
  /** Kubernetes quantity. */
  readonly size: string;
  /** Null is the cluster's default. */
  readonly storageClass: string | null;
  /** Whether many copies may have it at once. */
  readonly shared: boolean;
};

/** How a workload is reached from outside the cluster, by HTTP. */
export type Ingress = {
  readonly host: string;
  readonly path: string;
  readonly port: number;
  readonly tlsSecret: string | null;
  readonly ingressClass: string | null;
};

/** Lets the load decide how many copies run. */
export type Autoscaling = {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly targetCpuPercent: number;
};

/** What maintenance of the cluster may do to the copies. */
export type DisruptionBudget = { readonly maxUnavailable: number };

/** A chart in place of an image; the values may be secret. */
export type Chart = {
  readonly name: string;
  readonly version: string;
  readonly values: JsonObject;
};
