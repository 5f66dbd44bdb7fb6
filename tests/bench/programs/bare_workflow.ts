/** A workflow with as many activities as creating an environment, and nothing else. */
import { proxyActivities } from "@temporalio/workflow";

const { first, second } = proxyActivities<Record<"first" | "second", () => Promise<void>>>({
  startToCloseTimeout: "60s",
});

/** Runs them one after another. */
export async function bare(): Promise<void> {
  await first();
  await second();
}
