/** What is said of every object when it is applied. */
export interface ObjectMeta {
  readonly name: string;
  /** Undefined for what stands in no namespace. */
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An object as it is applied: JSON, complete enough to be named. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}
