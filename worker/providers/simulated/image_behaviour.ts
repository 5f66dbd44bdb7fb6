import type { WorkloadSpec } from "@mpc/domain";

/** Tags of misbehaving images, so that failures can be shown without a broken program (see README). */
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

/** Derives the behaviour of an image from its tag. */
export function behaviourOf({ image }: Pick<WorkloadSpec, "image">): Behaviour {
  const tag = image.split("@")[0]?.split("/").at(-1)?.split(":")[1];
  return MISBEHAVING_TAGS.find((misbehaving) => misbehaving === tag) ?? "works";
}
