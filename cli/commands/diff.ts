import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { type Change, findChanges } from "../manifests/change.ts";
import { readManifests } from "../manifests/manifest.ts";
import { isForPeople } from "../output/format.ts";
import { machineText } from "../output/machine_text.ts";

/** `mpctl diff` */
export async function run(
  context: CommandContext,
  flags: { readonly file: readonly string[] },
): Promise<number> {
  const manifests = await readManifests(context.host, flags.file);
  const connection = await connect(context);
  try {
    const changes = await findChanges(connection, manifests);
    const wanted = changes.filter(({ action }) => action !== "none");
    if (isForPeople(context.config.output)) {
      for (const change of wanted) context.terminal.out(changeText(change));
    } else {
      const json = wanted.map(({ manifest: { name }, action, differences }) => ({
        name,
        action,
        differences: differences.map((difference) => ({ ...difference })),
      }));
      context.terminal.out(await machineText(context.config.output, json));
    }
    return wanted.length > 0 ? EXIT.DIFFERENCES : EXIT.OK;
  } finally {
    connection.close();
  }
}

/** A change as people read it. */
export function changeText({ manifest: { name }, action, differences, plan }: Change): string {
  const lines = [`${action === "create" ? "+" : "~"} ${name}`];
  for (const { path, before, after } of differences) {
    lines.push(`    ${path}: ${before || "(none)"} → ${after || "(none)"}`);
  }
  if (!plan) lines.push("    its objects are planned when its environment is there");
  return `${lines.join("\n")}\n`;
}
