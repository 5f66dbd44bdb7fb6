import type { Store } from "@mpc/storage";

/** What one adapter brings to the contract. */
export interface StoreHarness {
  readonly store: Store;
  /** Closes the store and opens the same one again; null where it does not outlive its closing. */
  readonly reopen: (() => Promise<Store>) | null;
  close(): Promise<void>;
}

/** What one thing that stores do is shown with. */
export type StoreCase = (harness: StoreHarness) => Promise<void>;
