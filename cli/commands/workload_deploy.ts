import type { Client } from "@connectrpc/connect";
import { create } from "@bufbuild/protobuf";
import { type Workload, WorkloadSchema, WorkloadService, WorkloadSpecSchema } from "@mpc/proto";
import { usageError } from "../cli_error.ts";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { finishMutation, mutationFields, type MutationFlags } from "../finish_mutation.ts";
import { environmentIdOf, environmentName, idOf, workloadName } from "../names.ts";
import { WORKLOAD_VIEW } from "../output/views.ts";
import { readSpecFile } from "../spec_file.ts";
import { type SpecFlags, specWith } from "../spec_flags.ts";
import { unlessNotFound } from "../unless_not_found.ts";

export interface WorkloadDeployFlags extends MutationFlags, SpecFlags {
  readonly env?: string | undefined;
  readonly label?: Record<string, string> | undefined;
  readonly file?: string | undefined;
  readonly replace?: boolean | undefined;
  readonly forceConflicts?: true | undefined;
}

/** `mpctl workload deploy` */
export async function run(
  context: CommandContext,
  workload: string,
  flags: WorkloadDeployFlags,
): Promise<number> {
  const name = workloadName(workload, context.config);
  const file = flags.file && await readSpecFile(context.host, WorkloadSchema, flags.file);
  const connection = await connect(context);
  try {
    const client = connection.client(WorkloadService);
    const base = file || await changed(client, name, flags) || create(WorkloadSchema);
    const before = base.spec ?? create(WorkloadSpecSchema);
    const spec = await specWith(context.host, flags, before);
    if (spec.image === "" && !spec.chart) {
      throw usageError(`Cannot deploy '${workload}': add --image, --chart or -f FILE`);
    }
    const operation = await client.deployWorkload({
      parent: environmentName(environmentIdOf(name)),
      workloadId: idOf(name),
      workload: { ...base, labels: { ...base.labels, ...flags.label }, spec },
      forceConflicts: flags.forceConflicts ?? false,
      ...mutationFields(flags),
    });
    return await finishMutation(context, connection, operation, flags, {
      view: WORKLOAD_VIEW,
      read: () => client.getWorkload({ name }),
    });
  } finally {
    connection.close();
  }
}

/** The workload that flags change; none where it is new, or nothing of it is to stay. */
async function changed(
  client: Client<typeof WorkloadService>,
  name: string,
  { replace, image, chart }: WorkloadDeployFlags,
): Promise<Workload | undefined> {
  if (replace) return undefined;
  const current = await unlessNotFound(() => client.getWorkload({ name }));
  // What is said beside an image is not said beside a chart.
  const other = current?.spec?.chart ? image : chart;
  return other === undefined ? current : create(WorkloadSchema, { labels: current?.labels ?? {} });
}
