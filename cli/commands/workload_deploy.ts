import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import {
  HealthCheckSchema,
  PortSchema,
  ResourcesSchema,
  WorkloadSchema,
  WorkloadService,
  type WorkloadSpec,
  WorkloadSpecSchema,
} from "@mpc/proto";
import { usageError } from "../cli_error.ts";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { finishMutation, mutationFields, type MutationFlags } from "../finish_mutation.ts";
import { environmentIdOf, environmentName, idOf, workloadName } from "../names.ts";
import { WORKLOAD_VIEW } from "../output/views.ts";
import type { TypedPort } from "../parse_values.ts";
import { readSpecFile } from "../spec_file.ts";

export interface WorkloadDeployFlags extends MutationFlags {
  readonly env?: string | undefined;
  readonly image?: string | undefined;
  readonly replicas?: number | undefined;
  readonly port?: readonly TypedPort[] | undefined;
  readonly var?: Record<string, string> | undefined;
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly healthPath?: string | undefined;
  readonly healthPort?: number | undefined;
  readonly command?: readonly string[] | undefined;
  readonly arg?: readonly string[] | undefined;
  readonly label?: Record<string, string> | undefined;
  readonly progressDeadline?: number | undefined;
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
  const spec = { ...(base.spec ?? create(WorkloadSpecSchema)), ...specFields(flags) };
  if (spec.image === "") throw usageError(`Cannot deploy '${workload}': add --image or -f FILE`);
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

function specFields(
  flags: WorkloadDeployFlags,
): Partial<WorkloadSpec> {
  const { image, replicas, port, cpu, memory, healthPath, healthPort, command, arg } = flags;
  const healthy = healthPath !== undefined || healthPort !== undefined;
  return {
    ...(image !== undefined && { image }),
    ...(replicas !== undefined && { replicas }),
    ...(port && { ports: port.map((typed) => create(PortSchema, typed)) }),
    ...(flags.var && { env: flags.var }),
    ...((cpu || memory) &&
      { resources: create(ResourcesSchema, { cpu: cpu ?? "", memory: memory ?? "" }) }),
    ...(healthy && {
      healthCheck: create(HealthCheckSchema, {
        path: healthPath ?? "/",
        port: healthPort ?? port?.[0]?.port ?? 0,
      }),
    }),
    ...(command && { command: [...command] }),
    ...(arg && { args: [...arg] }),
    ...(flags.progressDeadline && { progressDeadline: durationFromMs(flags.progressDeadline) }),
  };
}
