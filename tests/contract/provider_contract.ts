import { EVERY_MISBEHAVIOUR, type Misbehaviour, misbehaviourCases } from "./misbehaviour_cases.ts";
import { OBJECT_CASES } from "./object_cases.ts";
import type { ProviderHarness } from "./provider_case.ts";
import { registerCases, registerMissing } from "./register_cases.ts";
import { ROLLOUT_CASES } from "./rollout_cases.ts";

/** What a cluster may be unable to show. Callers of the contract declare each one. */
export interface ProviderCapabilities {
  /** The misbehaving images that it can show. */
  readonly misbehavingImages: readonly Misbehaviour[];
}

/**
 * Registers the contract for one cluster; each case gets a fresh harness. The cases of images that it
 * cannot show are registered as ignored.
 */
export function providerContract(
  name: string,
  { misbehavingImages }: ProviderCapabilities,
  open: () => Promise<ProviderHarness>,
): void {
  const cases = { ...OBJECT_CASES, ...ROLLOUT_CASES, ...misbehaviourCases(misbehavingImages) };
  registerCases(name, cases, open);
  for (const tag of EVERY_MISBEHAVIOUR.filter((each) => !misbehavingImages.includes(each))) {
    registerMissing(name, Object.keys(misbehaviourCases([tag])), `image ':${tag}'`);
  }
}
