import type { Store } from "@mpc/storage";

/** What an adapter may be unable to do. Callers of the contract declare each one. */
export interface StoreCapabilities {
  /** The store outlives its handles: it can be closed and opened again. */
  readonly durable: boolean;
  /** Several handles of one store can be open at the same time. */
  readonly twoHandles: boolean;
  /** Text is ordered by code points, also beyond the basic plane of Unicode. */
  readonly codePointOrder: boolean;
}

/** What one adapter provides for one case. */
export interface StoreHarness {
  readonly store: Store;
  /** Opens another handle of the same store; called only with one of the capabilities above. */
  openAgain(): Promise<Store>;
  /** Closes every handle that was opened. */
  close(): Promise<void>;
}

/** Shows one behaviour of stores. */
export type StoreCase = (harness: StoreHarness) => Promise<void>;
