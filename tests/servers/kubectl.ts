import { goTool } from "./go_tool.ts";
import { runCommand } from "./run_command.ts";

/** Runs kubectl on one cluster. */
export type Kubectl = (args: readonly string[], stdin?: string) => Promise<string>;

/**
 * kubectl with one kubeconfig, for what tests do on a cluster without the platform.
 * @returns a function that returns its output, and throws an `Error` with kubectl's output if it
 *   fails
 */
export async function kubectlOf(kubeconfig: string): Promise<Kubectl> {
  const path = await goTool("kubectl");
  return async (args, stdin) => {
    const command = [path, "--kubeconfig", kubeconfig, ...args];
    const { code, out, err } = await runCommand(command, stdin === undefined ? {} : { stdin });
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")} failed: ${err}`);
    return out;
  };
}
