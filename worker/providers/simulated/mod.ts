/** A simulated cluster, for one machine and for tests. */
export { DEMO_DELAYS, NO_DELAYS, type SimulatedDelays } from "./simulated_objects.ts";
export { SimulatedProvider } from "./simulated_provider.ts";
