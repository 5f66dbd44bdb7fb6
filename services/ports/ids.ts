/** Unique ids and randomness as a port, so that tests can repeat a run. */
export interface Ids {
  /** A UUID, version 7: later ones sort after earlier ones (RFC 9562). */
  uuid(): string;
  /** In [0, 1). */
  random(): number;
}
