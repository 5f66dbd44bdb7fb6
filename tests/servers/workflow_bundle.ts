import { bundleWorkflows } from "../../worker/engine/temporal/bundle_workflows.ts";

let bundled: Promise<string> | undefined;

/** The path of a bundle of the current workflows, built once per process. */
export function workflowBundle(): Promise<string> {
  return bundled ??= bundle();
}

async function bundle(): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "mpc-workflows-", suffix: ".js" });
  await Deno.writeTextFile(path, await bundleWorkflows());
  globalThis.addEventListener("unload", () => Deno.removeSync(path));
  return path;
}
