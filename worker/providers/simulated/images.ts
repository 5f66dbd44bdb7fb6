import type { WorkloadSpec } from "@mpc/domain";

/** How an image behaves on the simulated cluster. */
export type Behaviour =
  | "works"
  | "missing"
  | "crash"
  | "slow"
  | "flaky"
  | "unschedulable"
  | "stuck"
  | "sticky";

/** Image tags that misbehave, so that every ending can be seen without a broken program. */
export const MISBEHAVING_TAGS: Readonly<Record<Exclude<Behaviour, "works">, string>> = {
  missing: "cannot be pulled: the deployment fails at once",
  crash: "exits with code 1 again and again: the deployment fails with its last line of output",
  slow: "takes ten times as long to start",
  flaky: "fails twice when it is applied, and then works: retries can be seen",
  unschedulable: "fits on no node: the deployment fails with the scheduler's reason",
  stuck: "starts but is never ready: the deployment fails at its progress deadline",
  sticky: "works, but a finalizer holds its deletion for a minute",
};

/** How an image behaves: its tag says so. */
export function behaviourOf({ image }: Pick<WorkloadSpec, "image">): Behaviour {
  const tag = image.split("@")[0]?.split("/").at(-1)?.split(":")[1] ?? "";
  return isMisbehaving(tag) ? tag : "works";
}

function isMisbehaving(tag: string): tag is Exclude<Behaviour, "works"> {
  return Object.hasOwn(MISBEHAVING_TAGS, tag);
}
