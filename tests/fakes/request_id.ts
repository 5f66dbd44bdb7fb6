/** The n-th request id of a test: a UUID that is the same in every run. */
export const requestIdOf = (n: number): string =>
  `7e570000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
