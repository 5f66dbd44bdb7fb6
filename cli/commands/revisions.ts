import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Revision, WorkloadService, WorkloadSpecSchema } from "@mpc/proto";
import { type CommandContext, withClient } from "../context.ts";
import { EXIT } from "../errors/cli_error.ts";
import { workloadName } from "../names.ts";
import { isForPeople, machineText } from "../output/format.ts";
import { printList, REVISION_VIEW } from "../output/print.ts";

/** Fields whose values the API does not show. */
const SECRET = /^(env|chart\.values)\./;

/** `mpctl workload history` */
export async function listRevisions(
  context: CommandContext,
  workload: string,
): Promise<number> {
  const revisions = await readRevisions(context, workloadName(workload, context.config));
  await printList(context, REVISION_VIEW, revisions, "No revisions");
  return EXIT.OK;
}

/** All revisions of a workload, newest first. */
function readRevisions(
  context: CommandContext,
  parent: string,
): Promise<readonly Revision[]> {
  return withClient(context, WorkloadService, async (client) => {
    const all: Revision[] = [];
    let pageToken = "";
    do {
      const page = await client.listRevisions({ parent, pageSize: 500, pageToken });
      all.push(...page.revisions);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return all;
  });
}

/** `mpctl workload diff` */
export async function compareRevisions(
  context: CommandContext,
  workload: string,
  [a, b]: readonly [number, number],
): Promise<number> {
  const name = workloadName(workload, context.config);
  const [before, after] = await withClient(context, WorkloadService, (client) =>
    Promise.all(
      [a, b].map(async (number) =>
        fieldsOf(await client.getRevision({ name: `${name}/revisions/${number}` }))
      ),
    ));
  if (!before || !after) throw new Error("Cannot compare: two revisions were asked for");
  const paths = [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path)).sort();
  const differences = paths.map((path) => ({
    path,
    before: before.get(path) ?? "",
    after: after.get(path) ?? "",
  }));
  const { terminal, config } = context;
  if (!isForPeople(config.output)) terminal.out(await machineText(config.output, differences));
  else {
    for (const { path, before, after } of differences) {
      if (before !== "") terminal.out(`- ${path}: ${before}\n`);
      if (after !== "") terminal.out(`+ ${path}: ${after}\n`);
    }
  }
  if ([...before.keys(), ...after.keys()].some((path) => SECRET.test(path))) {
    terminal.err("Values of variables and of charts are secret and not compared\n");
  }
  return paths.length > 0 ? EXIT.DIFFERENCES : EXIT.OK;
}

function fieldsOf({ spec }: Revision): Map<string, string> {
  const fields = new Map<string, string>();
  if (spec) flatten("", toJson(WorkloadSpecSchema, spec), fields);
  return fields;
}

function flatten(path: string, value: JsonValue, fields: Map<string, string>): void {
  if (typeof value !== "object" || value === null) {
    fields.set(path, JSON.stringify(value));
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    flatten(path === "" ? key : `${path}.${key}`, inner, fields);
  }
}
