import {
  claimCluster,
  createEnvironment,
  deployWorkload,
  type MutationResult,
  reconcileWorkload,
  restartWorkload,
  retryOperation,
  updateEnvironment,
} from "@mpc/services";
import type { Platform } from "./platform.ts";
import { removeEnvironment, removeWorkload, sweep } from "./scenarios.ts";

/**
 * Makes the request that `mpctl` would make for this command.
 * @param values of the words in capitals that a command leaves to its caller, for instance `CPU`
 */
export async function carryOut(
  platform: Platform,
  command: string,
  values: Readonly<Record<string, string>> = {},
): Promise<MutationResult> {
  const { deps, caller, store } = platform;
  const { noun, verb, id, flags } = parse(command, values);
  const environment = `environments/${id}`;
  const workload = `environments/${flags["env"]}/workloads/${id}`;
  const forceConflicts = "force-conflicts" in flags;
  const { cluster, "max-cpu": cpu, "max-memory": memory } = flags;
  switch (`${noun} ${verb}`) {
    case "env create":
      return await createEnvironment(deps, caller, {
        environmentId: id,
        environment: { ...(cluster && { cluster }) },
      });
    case "env delete":
      return await removeEnvironment(platform, { name: environment, force: "force" in flags });
    case "env update":
      return await updateEnvironment(deps, caller, {
        ...{ name: environment, etag: "", forceConflicts },
        change: { ...(cpu && memory && { quota: { cpu, memory } }) },
      });
    case "workload deploy": {
      const { spec } = (await store.workloads.get(workload))!.value;
      const { image = spec.image } = flags;
      const resources = { ...spec.resources, ...(flags["memory"] && { memory: flags["memory"] }) };
      return await deployWorkload(deps, caller, {
        ...{ parent: `environments/${flags["env"]}`, workloadId: id, etag: "", timeoutMs: null },
        ...{ workload: { spec: { ...spec, image, resources } }, forceConflicts },
      });
    }
    case "workload delete":
      return await removeWorkload(platform, { name: workload });
    case "workload reconcile":
      return await reconcileWorkload(deps, caller, { name: workload, etag: "" });
    case "workload restart":
      return await restartWorkload(deps, caller, { name: workload, etag: "", forceConflicts });
    case "op retry":
      return await retryOperation(deps, caller, { name: `operations/${id}`, forceConflicts });
    case "doctor --sweep":
      return await sweep(platform);
    case "doctor --claim":
      return await claimCluster(deps, caller, { cluster: id });
    default:
      throw new Error(`'${command}' is not a command that the suite knows`);
  }
}

function parse(command: string, values: Readonly<Record<string, string>>) {
  const [program, noun = "", verb = "", id = "", ...rest] = command.split(" ");
  if (program !== "mpctl") throw new Error(`'${command}' is not a command of mpctl`);
  const flags: Record<string, string> = {};
  for (let index = 0; index < rest.length; index++) {
    const name = rest[index]!.replace(/^--/, "");
    const next = rest[index + 1];
    const hasValue = next !== undefined && !next.startsWith("--");
    flags[name] = hasValue ? valueOf(next, values) : "";
    if (hasValue) index++;
  }
  return { noun, verb, id, flags };
}

function valueOf(word: string, values: Readonly<Record<string, string>>): string {
  if (!/^[A-Z]+$/.test(word)) return word;
  const value = values[word];
  if (value === undefined) throw new Error(`The suite has no value for ${word}`);
  return value;
}
