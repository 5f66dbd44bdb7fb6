import { create } from "@bufbuild/protobuf";
import { WorkloadSchema, WorkloadService, WorkloadSpecSchema } from "@mpc/proto";
import { usageError } from "../cli_error.ts";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { finishMutation, mutationFields, type MutationFlags } from "../finish_mutation.ts";
import { environmentIdOf, environmentName, idOf, workloadName } from "../names.ts";
import { WORKLOAD_VIEW } from "../output/views.ts";
import { readSpecFile } from "../spec_file.ts";
import { specFields, type SpecFlags } from "../spec_flags.ts";

export interface WorkloadDeployFlags extends MutationFlags, SpecFlags {
  readonly env?: string | undefined;
  readonly label?: Record<string, string> | undefined;
  readonly file?: string | undefined;
}

/** `mpctl workload deploy` */
export async function run(
  context: CommandContext,
  workload: string,
  flags: WorkloadDeployFlags,
): Promise<number> {
  const name = workloadName(workload, context.config);
  const base = flags.file
    ? await readSpecFile(context.host, WorkloadSchema, flags.file)
    : create(WorkloadSchema);
  const fields = await specFields(context.host, flags);
  const spec = { ...(base.spec ?? create(WorkloadSpecSchema)), ...fields };
  if (spec.image === "" && !spec.chart) {
    throw usageError(`Cannot deploy '${workload}': add --image, --chart or -f FILE`);
  }
  const connection = await connect(context);
  try {
    const client = connection.client(WorkloadService);
    const operation = await client.deployWorkload({
      parent: environmentName(environmentIdOf(name)),
      workloadId: idOf(name),
      workload: { ...base, ...(flags.label && { labels: flags.label }), spec },
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
