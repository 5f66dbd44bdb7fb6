import {
  type MutationResult,
  reconcileWorkload,
  restartWorkload,
  retryOperation,
  updateEnvironment,
} from "@mpc/services";
import type { Platform } from "./platform.ts";
import { removeEnvironment, removeWorkload } from "./scenarios.ts";

/** Makes the request that `mpctl` would make for this command. */
export function carryOut(platform: Platform, command: string): Promise<MutationResult> {
  const { deps, caller } = platform;
  const [, noun, verb, id = "", ...flags] = command.split(" ");
  const environment = `environments/${id}`;
  const workload = `environments/${flags[1]}/workloads/${id}`;
  switch (`${noun} ${verb}`) {
    case "env delete":
      return removeEnvironment(platform, { name: environment, force: flags.includes("--force") });
    case "env update":
      return updateEnvironment(deps, caller, { name: environment, etag: "", change: {} });
    case "workload delete":
      return removeWorkload(platform, { name: workload });
    case "workload reconcile":
      return reconcileWorkload(deps, caller, { name: workload, etag: "" });
    case "workload restart":
      return restartWorkload(deps, caller, { name: workload, etag: "" });
    case "op retry":
      return retryOperation(deps, caller, { name: `operations/${id}` });
    default:
      throw new Error(`'${command}' is not a command that the suite knows`);
  }
}
