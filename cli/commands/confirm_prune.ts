import type { Host } from "../host/mod.ts";
import type { Terminal } from "../host/terminal.ts";

/**
 * Lists what `--prune` would delete, and asks on a terminal whether to. Without a terminal nobody can
 * answer, and the flag alone decides.
 */
export async function confirmPrune(
  { terminal, host }: {
    readonly terminal: Pick<Terminal, "interactive" | "err">;
    readonly host: Pick<Host, "ask">;
  },
  names: readonly string[],
): Promise<boolean> {
  if (names.length === 0 || !terminal.interactive) return true;
  for (const name of names) terminal.err(`- ${name}\n`);
  const what = names.length === 1 ? "this resource" : `these ${names.length} resources`;
  const answer = await host.ask(`Delete ${what}, which no file contains? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}
