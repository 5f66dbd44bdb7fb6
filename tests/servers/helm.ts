import { goTool } from "./go_tool.ts";

/** Runs helm; resolves with its output, rejects with its error output if it fails. */
export type Helm = (args: readonly string[], stdin?: string) => Promise<string>;

/** Helm for tests, without this machine's settings. */
export async function helm(env: Readonly<Record<string, string>> = {}): Promise<Helm> {
  const path = await goTool("helm");
  return async (args, stdin = "") => {
    const child = new Deno.Command(path, {
      args: [...args],
      env: { ...env, HELM_NO_PLUGINS: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
    const { success, stdout, stderr } = await child.output();
    const text = new TextDecoder();
    if (!success) throw new Error(`helm ${args[0]} failed: ${text.decode(stderr)}`);
    return text.decode(stdout);
  };
}
