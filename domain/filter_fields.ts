import { ENVIRONMENT_STATES } from "./environment.ts";
import { OPERATION_KINDS, OPERATION_STATES } from "./operation.ts";
import { WORKLOAD_STATES } from "./workload.ts";

/** A field that filters and orders may name, and where it lies in the stored document. */
export interface FilterField {
  readonly path: readonly string[];
  readonly type: "string" | "number" | "boolean" | "timestamp" | "enum" | "map";
  /** The values of an enum. */
  readonly values?: readonly string[];
}

export type FilterFields = Readonly<Record<string, FilterField>>;

const COMMON: FilterFields = {
  name: { path: ["name"], type: "string" },
  uid: { path: ["uid"], type: "string" },
  labels: { path: ["labels"], type: "map" },
  create_time: { path: ["createTime"], type: "timestamp" },
  update_time: { path: ["updateTime"], type: "timestamp" },
  current_operation: { path: ["currentOperation"], type: "string" },
  last_operation: { path: ["lastOperation"], type: "string" },
};

export const ENVIRONMENT_FIELDS: FilterFields = {
  ...COMMON,
  state: { path: ["state"], type: "enum", values: ENVIRONMENT_STATES },
  expire_time: { path: ["expireTime"], type: "timestamp" },
  deletion_protection: { path: ["deletionProtection"], type: "boolean" },
};

export const WORKLOAD_FIELDS: FilterFields = {
  ...COMMON,
  state: { path: ["state"], type: "enum", values: WORKLOAD_STATES },
  image: { path: ["spec", "image"], type: "string" },
  replicas: { path: ["spec", "replicas"], type: "number" },
  active_revision: { path: ["activeRevision"], type: "number" },
};

export const OPERATION_FIELDS: FilterFields = {
  name: { path: ["name"], type: "string" },
  kind: { path: ["kind"], type: "enum", values: OPERATION_KINDS },
  target: { path: ["target"], type: "string" },
  state: { path: ["state"], type: "enum", values: OPERATION_STATES },
  actor: { path: ["actor"], type: "string" },
  engine: { path: ["engine"], type: "string" },
  create_time: { path: ["createTime"], type: "timestamp" },
  update_time: { path: ["updateTime"], type: "timestamp" },
  end_time: { path: ["endTime"], type: "timestamp" },
  retry_of: { path: ["retryOf"], type: "string" },
};
