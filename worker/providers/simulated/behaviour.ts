import type { WorkloadSpec } from "@mpc/domain";

/** Tags by which every ending can be seen without a broken program; the README says what each does. */
const MISBEHAVING_TAGS = [
  "missing",
  "crash",
  "slow",
  "flaky",
  "unschedulable",
  "stuck",
  "sticky",
] as const;

/** How an image behaves on the simulated cluster. */
export type Behaviour = "works" | (typeof MISBEHAVING_TAGS)[number];

/** How an image behaves: its tag says so. */
export function behaviourOf({ image }: Pick<WorkloadSpec, "image">): Behaviour {
  const tag = image.split("@")[0]?.split("/").at(-1)?.split(":")[1];
  return MISBEHAVING_TAGS.find((misbehaving) => misbehaving === tag) ?? "works";
}
