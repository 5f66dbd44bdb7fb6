import { type Misbehaviour, misbehaviourCases } from "./misbehaviour_cases.ts";
import { OBJECT_CASES } from "./object_cases.ts";
import type { ProviderHarness } from "./provider_case.ts";
import { registerCases } from "./register_cases.ts";
import { ROLLOUT_CASES } from "./rollout_cases.ts";

/** What a cluster can show; what it cannot is left out by name. */
export interface ProviderCapabilities {
  readonly misbehavingImages: readonly Misbehaviour[];
}

/** Registers the contract for one cluster; each case gets a fresh harness. */
export function providerContract(
  name: string,
  { misbehavingImages }: ProviderCapabilities,
  open: () => Promise<ProviderHarness>,
): void {
  const cases = { ...OBJECT_CASES, ...ROLLOUT_CASES, ...misbehaviourCases(misbehavingImages) };
  registerCases(name, cases, open);
}
