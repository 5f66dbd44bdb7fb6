import { goTool } from "./go_tool.ts";

/** Runs kubectl on one cluster. */
export type Kubectl = (args: readonly string[], stdin?: string) => Promise<string>;

/**
 * kubectl for one kubeconfig, for what tests do on a cluster beside the platform.
 * @returns what it prints; it throws an `Error` with what kubectl said when that fails
 */
export async function kubectlOf(kubeconfig: string): Promise<Kubectl> {
  const path = await goTool("kubectl");
  return async (args, stdin) => {
    const child = new Deno.Command(path, {
      args: ["--kubeconfig", kubeconfig, ...args],
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (stdin !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(stdin));
      await writer.close();
    }
    const { success, stdout, stderr } = await child.output();
    const text = new TextDecoder();
    if (!success) throw new Error(`kubectl ${args.join(" ")} failed: ${text.decode(stderr)}`);
    return text.decode(stdout);
  };
}
