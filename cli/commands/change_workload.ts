import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { unlessNotFound } from "@mpc/client";
import {
  type Operation,
  type Workload,
  WorkloadSchema,
  WorkloadService,
  WorkloadSpecSchema,
} from "@mpc/proto";
import { type CommandContext, withConnection } from "../context.ts";
import { usageError } from "../errors/cli_error.ts";
import { type SpecFlags, specWith } from "../flags/spec_flags.ts";
import { readSpecFile } from "../manifests/read_message.ts";
import { environmentIdOf, environmentName, idOf, workloadName } from "../names.ts";
import { WORKLOAD_VIEW } from "../output/print.ts";
import { deleteFields, type DeleteFlags } from "./change_environment.ts";
import {
  type EtagFlags,
  finishMutation,
  mutationFields,
  type MutationFlags,
} from "./finish_mutation.ts";

export interface WorkloadDeployFlags extends MutationFlags, EtagFlags, SpecFlags {
  readonly env?: string | undefined;
  readonly label?: Record<string, string> | undefined;
  readonly file?: string | undefined;
  readonly replace?: boolean | undefined;
  readonly forceConflicts?: true | undefined;
}

/** `mpctl workload deploy` */
export async function deployWorkload(
  context: CommandContext,
  workload: string,
  flags: WorkloadDeployFlags,
): Promise<number> {
  const name = workloadName(workload, context.config);
  const file = flags.file && await readSpecFile(context.host, WorkloadSchema, flags.file, name);
  return await withConnection(context, async (connection) => {
    const client = connection.client(WorkloadService);
    const base = file || await currentWorkload(client, name, flags) || create(WorkloadSchema);
    const before = base.spec ?? create(WorkloadSpecSchema);
    const spec = await specWith(context.host, flags, before);
    if (spec.image === "" && !spec.chart) {
      throw usageError(`Cannot deploy '${workload}': add --image, --chart or -f FILE`);
    }
    const operation = await client.deployWorkload({
      parent: environmentName(environmentIdOf(name)),
      workloadId: idOf(name),
      workload: {
        ...base,
        labels: { ...base.labels, ...flags.label },
        spec,
        ...(flags.etag !== undefined && { etag: flags.etag }),
      },
      forceConflicts: flags.forceConflicts ?? false,
      ...mutationFields(flags),
    });
    return await finishMutation(context, connection, operation, flags, {
      view: WORKLOAD_VIEW,
      read: () => client.getWorkload({ name }),
    });
  });
}

/** The workload that the flags change; undefined if it is new or to be replaced. */
async function currentWorkload(
  client: Client<typeof WorkloadService>,
  name: string,
  { replace, image, chart }: WorkloadDeployFlags,
): Promise<Workload | undefined> {
  if (replace) return undefined;
  const current = await unlessNotFound(() => client.getWorkload({ name }));
  // Fields of an image do not apply to a chart, and vice versa.
  const other = current?.spec?.chart ? image : chart;
  if (!current || other === undefined) return current;
  const { labels, annotations, etag } = current;
  return create(WorkloadSchema, { labels, annotations, etag });
}

export interface WorkloadChangeFlags extends MutationFlags, EtagFlags {
  readonly env?: string | undefined;
  readonly forceConflicts?: true | undefined;
}

type Fields =
  & { name: string; etag: string; forceConflicts: boolean }
  & ReturnType<typeof mutationFields>;

/** `mpctl workload rollback` */
export const rollbackWorkload = (
  context: CommandContext,
  workload: string,
  flags: WorkloadChangeFlags & {
    readonly to?: number | undefined;
    readonly replicas?: number | undefined;
  },
): Promise<number> =>
  change(
    context,
    workload,
    flags,
    (client, fields) =>
      client.rollbackWorkload({
        ...fields,
        revision: flags.to ?? 0,
        ...(flags.replicas !== undefined && { replicas: flags.replicas }),
      }),
  );

/** `mpctl workload scale` */
export const scaleWorkload = (
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
export const restartWorkload = (
  context: CommandContext,
  workload: string,
  flags: WorkloadChangeFlags,
): Promise<number> =>
  change(context, workload, flags, (client, fields) => client.restartWorkload(fields));

/** `mpctl workload reconcile` */
export const reconcileWorkload = (
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
  return await withConnection(context, async (connection) => {
    const client = connection.client(WorkloadService);
    const forceConflicts = flags.forceConflicts ?? false;
    const etag = flags.etag ?? "";
    const fields = { name, etag, forceConflicts, ...mutationFields(flags) };
    const operation = await call(client, fields);
    return await finishMutation(context, connection, operation, flags, {
      view: WORKLOAD_VIEW,
      read: () => client.getWorkload({ name }),
    });
  });
}

/** `mpctl workload delete` */
export async function deleteWorkload(
  context: CommandContext,
  workload: string,
  flags: DeleteFlags & { readonly env?: string | undefined },
): Promise<number> {
  const name = workloadName(workload, context.config);
  return await withConnection(context, async (connection) => {
    const client = connection.client(WorkloadService);
    const operation = await client.deleteWorkload({ name, ...deleteFields(flags) });
    return await finishMutation(context, connection, operation, flags);
  });
}
