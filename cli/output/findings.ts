import type { Finding } from "@mpc/proto";
import type { CommandContext } from "../context.ts";

/** Prints violations of the platform's invariants, each with the command that repairs it. */
export function printFindings({ terminal }: CommandContext, findings: readonly Finding[]): void {
  for (const { invariant, subject, message, remedy } of findings) {
    terminal.out(`✗ ${invariant} ${subject}\n    ${message}\n    repair: ${remedy}\n`);
  }
}
