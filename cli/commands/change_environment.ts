import { create } from "@bufbuild/protobuf";
import {
  durationFromMs,
  type Timestamp,
  timestampFromMs,
  timestampMs,
} from "@bufbuild/protobuf/wkt";
import { type Environment, EnvironmentSchema, EnvironmentService, QuotaSchema } from "@mpc/proto";
import { type CommandContext, withConnection } from "../context.ts";
import { CliError, usageError } from "../errors/cli_error.ts";
import { readSpecFile } from "../manifests/read_message.ts";
import { environmentName, idOf } from "../names.ts";
import { ENVIRONMENT_VIEW } from "../output/print.ts";
import { finishMutation, mutationFields, type MutationFlags } from "./finish_mutation.ts";

export interface EnvCreateFlags extends MutationFlags {
  readonly ttl?: number | undefined;
  readonly label?: Record<string, string> | undefined;
  readonly annotation?: Record<string, string> | undefined;
  readonly maxWorkloads?: number | undefined;
  readonly maxCpu?: string | undefined;
  readonly maxMemory?: string | undefined;
  readonly protect?: boolean | undefined;
  readonly cluster?: string | undefined;
  readonly file?: string | undefined;
}

/** `mpctl env create` */
export async function createEnvironment(
  context: CommandContext,
  environment: string,
  flags: EnvCreateFlags,
): Promise<number> {
  const base = flags.file
    ? await readSpecFile(context.host, EnvironmentSchema, flags.file)
    : create(EnvironmentSchema);
  return await withConnection(context, async (connection) => {
    const client = connection.client(EnvironmentService);
    const operation = await client.createEnvironment({
      environmentId: idOf(environment),
      environment: { ...base, ...environmentFields(flags) },
      ...mutationFields(flags),
    });
    return await finishMutation(context, connection, operation, flags, {
      view: ENVIRONMENT_VIEW,
      read: () => client.getEnvironment({ name: environmentName(environment) }),
    });
  });
}

/** The fields of an environment that the flags set. */
export function environmentFields(
  flags: Omit<EnvCreateFlags, keyof MutationFlags>,
): Partial<Environment> {
  const { ttl, label, annotation, protect, cluster, maxWorkloads, maxCpu, maxMemory } = flags;
  const limited = maxWorkloads !== undefined || maxCpu !== undefined || maxMemory !== undefined;
  return {
    ...(ttl !== undefined && { ttl: durationFromMs(ttl) }),
    ...(label && { labels: label }),
    ...(annotation && { annotations: annotation }),
    ...(protect !== undefined && { deletionProtection: protect }),
    ...(cluster !== undefined && { cluster }),
    ...(limited && {
      quota: create(QuotaSchema, {
        workloads: maxWorkloads ?? 0,
        cpu: maxCpu ?? "",
        memory: maxMemory ?? "",
      }),
    }),
  };
}

export interface EnvUpdateFlags extends EnvCreateFlags {
  readonly removeLabel?: readonly string[] | undefined;
  /** Removes the expiry. */
  readonly keep?: boolean;
  /** Milliseconds to add to the expiry. */
  readonly extend?: number;
}

/** `mpctl env update`, `env extend` and `env keep` */
export async function updateEnvironment(
  context: CommandContext,
  environment: string,
  flags: EnvUpdateFlags,
): Promise<number> {
  const name = environmentName(environment);
  const both = flags.removeLabel?.find((key) => Object.hasOwn(flags.label ?? {}, key));
  if (both !== undefined) {
    throw usageError(`Cannot update '${environment}': label '${both}' is both set and removed`);
  }
  return await withConnection(context, async (connection) => {
    const client = connection.client(EnvironmentService);
    const current = await client.getEnvironment({ name });
    const fields = environmentFields(flags);
    const relabel = flags.label !== undefined || flags.removeLabel !== undefined;
    const labels = { ...current.labels, ...flags.label };
    for (const key of flags.removeLabel ?? []) delete labels[key];
    const quota = fields.quota &&
      Object.assign(create(QuotaSchema, current.quota), quotaFields(flags));
    const paths = [
      relabel && "labels",
      fields.annotations && "annotations",
      quota && "quota",
      (fields.ttl || flags.keep) && "ttl",
      flags.extend !== undefined && "expire_time",
      flags.protect !== undefined && "deletion_protection",
    ].filter((path) => typeof path === "string");
    const annotations = { ...current.annotations, ...flags.annotation };
    const expireTime = flags.extend === undefined ? undefined : extended(current, flags.extend);
    const operation = await client.updateEnvironment({
      environment: create(EnvironmentSchema, {
        ...(fields.ttl && { ttl: fields.ttl }),
        ...(expireTime && { expireTime }),
        deletionProtection: flags.protect ?? false,
        name,
        etag: current.etag,
        labels,
        annotations,
        ...(quota && { quota }),
      }),
      updateMask: { paths },
      ...mutationFields(flags),
    });
    return await finishMutation(context, connection, operation, flags, {
      view: ENVIRONMENT_VIEW,
      read: () => client.getEnvironment({ name }),
    });
  });
}

/** The expiry of an environment, extended. */
function extended({ name, expireTime }: Environment, ms: number): Timestamp {
  if (!expireTime) throw new CliError(`Cannot extend '${idOf(name)}': it never expires`);
  return timestampFromMs(timestampMs(expireTime) + ms);
}

function quotaFields({ maxWorkloads, maxCpu, maxMemory }: EnvUpdateFlags) {
  return {
    ...(maxWorkloads !== undefined && { workloads: maxWorkloads }),
    ...(maxCpu !== undefined && { cpu: maxCpu }),
    ...(maxMemory !== undefined && { memory: maxMemory }),
  };
}

export interface DeleteFlags extends MutationFlags {
  readonly force?: true | undefined;
  readonly abandon?: true | undefined;
  readonly ignoreNotFound?: true | undefined;
  readonly deadline?: number | undefined;
}

/** `mpctl env delete` */
export async function deleteEnvironment(
  context: CommandContext,
  environment: string,
  flags: DeleteFlags,
): Promise<number> {
  return await withConnection(context, async (connection) => {
    const operation = await connection.client(EnvironmentService).deleteEnvironment({
      name: environmentName(environment),
      ...deleteFields(flags),
      force: flags.force ?? false,
    });
    return await finishMutation(context, connection, operation, flags);
  });
}

/** The request fields of every deletion. */
export function deleteFields(flags: DeleteFlags) {
  return {
    ...mutationFields(flags),
    abandon: flags.abandon ?? false,
    allowMissing: flags.ignoreNotFound ?? false,
    ...(flags.deadline !== undefined && { timeout: durationFromMs(flags.deadline) }),
  };
}
