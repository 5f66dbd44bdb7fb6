/** Parts of queries that several panels share. */

/** Histograms, by what they measure. */
export const CALLS = "mpc_rpc_duration_seconds";
export const STORE_CALLS = "mpc_storage_call_duration_seconds";
export const OPERATIONS = "mpc_operation_duration_seconds";

/** The rate of a counter, over a range that fits the zoom. */
export const perSecond = (series: string) => `rate(${series}[$__rate_interval])`;

/** A quantile of a histogram, by labels. */
export const quantile = (q: number, histogram: string, matchers = "", by = "") =>
  `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (${
    perSecond(`${histogram}_bucket${matchers}`)
  }))`;

/** What is read from the store is the same at every process that reaches it. */
export const fromStore = (series: string) =>
  `max(${series} and on (job, instance) mpc_store_up == 1)`;
