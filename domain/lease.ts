/**
 * The right to do what only one process does at a time. The version of its document counts renewals:
 * a lease whose version does not change for its time to live is free, whatever its holder believes.
 */
export interface Lease {
  /** `leases/{what}` */
  readonly name: string;
  /** Id of the process that holds it; empty if it was released. */
  readonly holder: string;
  /** Grows with every holder, so that what an earlier holder does late can be recognized. */
  readonly token: number;
}
