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
import {
  type EtagFlags,
  finishMutation,
  mutationFields,
  type MutationFlags,
} from "./finish_mutation.ts";

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
    ? await readSpecFile(
      context.host,
      EnvironmentSchema,
      flags.file,
      environmentName(environment),
    )
    : create(EnvironmentSchema);
  return await withConnection(context, async (connection) => {
    const client = connection.client(EnvironmentService);
    const operation = await client.createEnvironment({
      environmentId: idOf(environment),
      environment: fieldsOver(base, environmentFields(flags)),
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
): Partial<Omit<Environment, "$typeName" | "$unknown">> {
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

/** A file's environment with the flags' fields; labels, annotations and limits are set one by one. */
function fieldsOver(
  base: Environment,
  fields: ReturnType<typeof environmentFields>,
): Environment {
  const quota = fields.quota && create(QuotaSchema, {
    workloads: fields.quota.workloads || (base.quota?.workloads ?? 0),
    cpu: fields.quota.cpu || (base.quota?.cpu ?? ""),
    memory: fields.quota.memory || (base.quota?.memory ?? ""),
  });
  return {
    ...base,
    ...fields,
    labels: { ...base.labels, ...fields.labels },
    annotations: { ...base.annotations, ...fields.annotations },
    ...(quota && { quota }),
  };
}

export interface EnvUpdateFlags extends EnvCreateFlags, EtagFlags {
  readonly removeLabel?: readonly string[] | undefined;
  readonly removeAnnotation?: readonly string[] | undefined;
  readonly forceConflicts?: true | undefined;
  /** Removes the expiry. */
  readonly keep?: boolean;
  /** Milliseconds to add to the expiry. */
  readonly extend?: number;
}

/**
 * `mpctl env update`, `env extend` and `env keep`. The mask names entries and parts, so that what
 * others change meanwhile stays.
 */
export async function updateEnvironment(
  context: CommandContext,
  environment: string,
  flags: EnvUpdateFlags,
): Promise<number> {
  const name = environmentName(environment);
  const { extend, keep, protect } = flags;
  const entries = [
    ...entryPaths(environment, "label", flags.label, flags.removeLabel),
    ...entryPaths(environment, "annotation", flags.annotation, flags.removeAnnotation),
  ];
  return await withConnection(context, async (connection) => {
    const client = connection.client(EnvironmentService);
    const fields = environmentFields(flags);
    const current = extend === undefined ? undefined : await client.getEnvironment({ name });
    const expireTime = current && extended(current, extend ?? 0);
    const paths = [
      ...entries,
      flags.maxWorkloads !== undefined && "quota.workloads",
      flags.maxCpu !== undefined && "quota.cpu",
      flags.maxMemory !== undefined && "quota.memory",
      (fields.ttl || keep) && "ttl",
      expireTime && "expire_time",
      protect !== undefined && "deletion_protection",
    ].filter((path) => typeof path === "string");
    const operation = await client.updateEnvironment({
      environment: create(EnvironmentSchema, {
        ...fields,
        ...(expireTime && { expireTime }),
        name,
        etag: flags.etag ?? current?.etag ?? "",
      }),
      updateMask: { paths },
      forceConflicts: flags.forceConflicts ?? false,
      ...mutationFields(flags),
    });
    return await finishMutation(context, connection, operation, flags, {
      view: ENVIRONMENT_VIEW,
      read: () => client.getEnvironment({ name }),
    });
  });
}

/**
 * The mask's paths of entries to set and to remove; a key that is no plain word is quoted.
 * @throws {CliError} usage, where a key is to be set and removed
 */
function entryPaths(
  environment: string,
  kind: "label" | "annotation",
  set: Readonly<Record<string, string>> = {},
  removed: readonly string[] = [],
): readonly string[] {
  const both = removed.find((key) => Object.hasOwn(set, key));
  if (both !== undefined) {
    throw usageError(`Cannot update '${environment}': ${kind} '${both}' is to be set and removed`);
  }
  return [...Object.keys(set), ...removed].map((key) =>
    `${kind}s.${/^\w+$/.test(key) ? key : `\`${key.replaceAll("`", "``")}\``}`
  );
}

/** The expiry of an environment, extended. */
function extended({ name, expireTime }: Environment, ms: number): Timestamp {
  if (!expireTime) throw new CliError(`Cannot extend '${idOf(name)}': it never expires`);
  return timestampFromMs(timestampMs(expireTime) + ms);
}

export interface DeleteFlags extends MutationFlags, EtagFlags {
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
    etag: flags.etag ?? "",
    abandon: flags.abandon ?? false,
    allowMissing: flags.ignoreNotFound ?? false,
    ...(flags.deadline !== undefined && { timeout: durationFromMs(flags.deadline) }),
  };
}
