/** The cluster of an environment that names none. */
export const DEFAULT_CLUSTER = "default";
