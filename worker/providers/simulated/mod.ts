/** A cluster that is simulated, for one machine and for tests. */
export { DEMO_DELAYS, NO_DELAYS, type SimulatedDelays } from "./delays.ts";
export { SimulatedProvider } from "./simulated_provider.ts";
