/** One change to an object of the cluster, or to a record. */
export interface PlannedChange {
  readonly action: "CREATE" | "UPDATE" | "DELETE";
  /** `Kind/namespace/name` or `Kind/name`; for a record, the name of its resource. */
  readonly object: string;
  readonly fields: readonly FieldChange[];
  /** What stays as it is although it was asked for, and why; for people. */
  readonly note?: string;
}

/** One field that differs. Values are JSON, empty if absent; secrets are redacted. */
export interface FieldChange {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** The effect of a change on one quota; `limit` is empty if there is none. */
export interface QuotaEffect {
  readonly resource: "workloads" | "cpu" | "memory";
  readonly before: string;
  readonly after: string;
  readonly limit: string;
}

/** What a change would do, returned without doing it (AIP-163). */
export interface Plan {
  readonly changes: readonly PlannedChange[];
  readonly steps: readonly {
    readonly name: string;
    readonly undo: boolean;
    readonly onCancel: "undo" | "keep";
  }[];
  readonly quota: readonly QuotaEffect[];
  readonly planHash: string;
}
