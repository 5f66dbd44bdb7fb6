/** A cluster that is simulated, for one machine and for tests. */
export { DEMO_DELAYS, NO_DELAYS, type SimulatedDelays } from "./delays.ts";
export { MISBEHAVING_TAGS } from "./images.ts";
export type { SimulatedClusterOptions } from "./simulated_cluster.ts";
export { SimulatedProvider } from "./simulated_provider.ts";
