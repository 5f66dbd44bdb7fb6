import type { Client } from "@connectrpc/connect";
import { type Operation, WorkloadService } from "@mpc/proto";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { finishMutation, mutationFields, type MutationFlags } from "../finish_mutation.ts";
import { workloadName } from "../names.ts";
import { WORKLOAD_VIEW } from "../output/views.ts";

export interface WorkloadChangeFlags extends MutationFlags {
  readonly env?: string | undefined;
  readonly forceConflicts?: true | undefined;
}

type Fields = { name: string; forceConflicts: boolean } & ReturnType<typeof mutationFields>;

/** `mpctl workload rollback` */
export const rollback = (
  context: CommandContext,
  workload: string,
  flags: WorkloadChangeFlags & { readonly to?: number | undefined },
): Promise<number> =>
  change(
    context,
    workload,
    flags,
    (client, fields) => client.rollbackWorkload({ ...fields, revision: flags.to ?? 0 }),
  );

/** `mpctl workload scale` */
export const scale = (
  context: CommandContext,
  workload: string,
  flags: WorkloadChangeFlags & { readonly replicas: number },
): Promise<number> =>
  change(
    context,
    workload,
    flags,
    (client, fields) => client.scaleWorkload({ ...fields, replicas: flags.replicas }),
  );

/** `mpctl workload restart` */
export const restart = (
  context: CommandContext,
  workload: string,
  flags: WorkloadChangeFlags,
): Promise<number> =>
  change(context, workload, flags, (client, fields) => client.restartWorkload(fields));

/** `mpctl workload reconcile` */
export const reconcile = (
  context: CommandContext,
  workload: string,
  flags: WorkloadChangeFlags,
): Promise<number> =>
  change(
    context,
    workload,
    flags,
    (client, { forceConflicts: _, ...fields }) => client.reconcileWorkload(fields),
  );

async function change(
  context: CommandContext,
  workload: string,
  flags: WorkloadChangeFlags,
  call: (client: Client<typeof WorkloadService>, fields: Fields) => Promise<Operation>,
): Promise<number> {
  const name = workloadName(workload, context.config);
  const connection = await connect(context);
  try {
    const client = connection.client(WorkloadService);
    const forceConflicts = flags.forceConflicts ?? false;
    const fields = { name, forceConflicts, ...mutationFields(flags) };
    const operation = await call(client, fields);
    return await finishMutation(context, connection, operation, flags, {
      view: WORKLOAD_VIEW,
      read: () => client.getWorkload({ name }),
    });
  } finally {
    connection.close();
  }
}
