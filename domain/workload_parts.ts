/** The parts of a workload's spec. They are types, not interfaces, so that documents are JSON. */
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

/** Environment variables with values on the cluster; one of `secret` and `config` is set. */
export type EnvSource = {
  /** Empty: every key of the source becomes a variable. */
  readonly variable: string;
  /** Empty if `variable` is. */
  readonly key: string;
  readonly secret: string | null;
  readonly config: string | null;
};

/** A volume that is mounted into each copy; exactly one of the sources is set. */
export type Volume = {
  /** Unique in the workload; storage is identified by it. */
  readonly name: string;
  readonly path: string;
  readonly readOnly: boolean;
  readonly scratch: ScratchVolume | null;
  readonly storage: StorageVolume | null;
  readonly secret: string | null;
  readonly config: string | null;
};

/** Storage that lives as long as a copy. */
export type ScratchVolume = {
  /** Kubernetes quantity; null for no limit. */
  readonly size: string | null;
  readonly inMemory: boolean;
};

/** Storage that lives as long as the workload. */
export type StorageVolume = {
  /** Kubernetes quantity. */
  readonly size: string;
  /** Null selects the cluster's default. */
  readonly storageClass: string | null;
  /** Whether several copies may mount it at once. */
  readonly shared: boolean;
};

/** Access to a workload from outside the cluster, by HTTP. */
export type Ingress = {
  readonly host: string;
  readonly path: string;
  readonly port: number;
  readonly tlsSecret: string | null;
  readonly ingressClass: string | null;
};

/** Scales the number of copies with the load. */
export type Autoscaling = {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly targetCpuPercent: number;
};

/** Limits how many copies maintenance of the cluster may stop at once. */
export type DisruptionBudget = { readonly maxUnavailable: number };

/** A chart, in place of an image. Its values may be secret. */
export type Chart = {
  readonly name: string;
  readonly version: string;
  readonly values: JsonObject;
};
