/** Clusters that deny access: only steps that may have changed something are undone. */
import assert from "node:assert/strict";
import { type ErrorCode, madeMetadata, uncheckedError } from "@mpc/domain";
import type { Provider } from "@mpc/services";
import { withPlatform } from "../fakes/platform.ts";
import { create, deploy } from "../fakes/scenarios.ts";

/** An error, and what the call made before it, where the provider knows that. */
type Failure = readonly [ErrorCode, reason: string, made?: readonly string[]];

/** A cluster whose calls fail with these failures in turn, and then always with the last. */
function refusing(failures: readonly Failure[], calls: readonly string[]) {
  const left = [...failures];
  const refuse = () => {
    const [code, reason, made] = left.length > 1 ? left.shift()! : left[0]!;
    const metadata = made ? madeMetadata(made) : {};
    const message = `the cluster says ${reason}`;
    return Promise.reject(uncheckedError(code, reason, { message, metadata }));
  };
  return (bare: Provider): Provider =>
    new Proxy(bare, {
      get(target, key) {
        if (calls.includes(String(key))) return refuse;
        const value = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
}

const NAMESPACE = ["applyNamespace", "deleteNamespace", "awaitNamespaceGone"];
const WORKLOAD = ["applyWorkload", "deleteWorkloads", "awaitWorkloadGone"];
const CREDENTIALS = ["UNAUTHENTICATED", "CLUSTER_CREDENTIALS"] as const;
const FORBIDS = ["PERMISSION_DENIED", "CLUSTER_FORBIDS", []] as const;
const FORBIDS_LATER = [
  "PERMISSION_DENIED",
  "CLUSTER_FORBIDS",
  ["Secret/dev/web.env"],
] as const;
const UNREACHABLE = ["UNAVAILABLE", "CLUSTER_UNREACHABLE"] as const;

for (
  const [title, failures, state] of [
    ["refuses our credentials", [CREDENTIALS], "FAILED"],
    ["forbids the one change that the step makes", [FORBIDS], "FAILED"],
    // It is not known how far the first attempt came.
    ["broke off before it refused us", [UNREACHABLE, CREDENTIALS], "NEEDS_ATTENTION"],
  ] as const
) {
  Deno.test(`an environment on a cluster that ${title} ends ${state}`, () =>
    withPlatform(async (platform) => {
      const operation = await platform.ended(await create(platform));
      assert.equal(operation.state, state, `${operation.error?.message}`);
      assert.equal(operation.residue.length > 0, state === "NEEDS_ATTENTION");
    }, { provider: refusing(failures, NAMESPACE) }));
}

for (
  const [title, failure, state] of [
    ["refuses our credentials", CREDENTIALS, "FAILED"],
    // A workload is many objects: some may have been allowed.
    ["forbids a change", FORBIDS_LATER, "NEEDS_ATTENTION"],
    ["forbids the first change", FORBIDS, "FAILED"],
  ] as const
) {
  Deno.test(`a deployment to a cluster that ${title} ends ${state}`, () =>
    withPlatform(async (platform) => {
      await platform.ended(await create(platform));
      const operation = await platform.ended(await deploy(platform, "nginx:1"));
      assert.equal(operation.state, state, `${operation.error?.message}`);
    }, { provider: refusing([failure], WORKLOAD) }));
}
