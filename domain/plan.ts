/** One change to an object of the cluster, or to what a record holds beside them. */
export interface PlannedChange {
  readonly action: "CREATE" | "UPDATE" | "DELETE";
  /** `Kind/namespace/name` or `Kind/name`; for a record the name of its resource. */
  readonly object: string;
  readonly fields: readonly FieldChange[];
}

/** One field that differs; values are JSON, empty where there is none, secrets redacted. */
export interface FieldChange {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** What a change does to one quota; `limit` is empty where there is none. */
export interface QuotaEffect {
  readonly resource: "workloads" | "cpu" | "memory";
  readonly before: string;
  readonly after: string;
  readonly limit: string;
}

/** What a change would do, answered in place of doing it (AIP-163). */
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
