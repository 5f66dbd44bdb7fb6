import type { Instant } from "./time.ts";

/** Name of the one record of an installation in its store. */
export const INSTALLATION = "installation";

/** The identity of one control plane: every process that works on one store belongs to it. */
export interface Installation {
  readonly name: typeof INSTALLATION;
  /** A UUID, made when the store is first opened; a label on every object on clusters. */
  readonly id: string;
  readonly createTime: Instant;
  /** Set while a copy into this store has not finished: no platform may start on it. */
  readonly incomplete?: boolean;
  /** The ids of the keys that secret values in the store are encrypted by; absent without any. */
  readonly encryptionKeys?: readonly string[];
}
