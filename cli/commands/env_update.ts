import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Environment, EnvironmentSchema, EnvironmentService, QuotaSchema } from "@mpc/proto";
import { CliError, usageError } from "../cli_error.ts";
import { connect } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { finishMutation, mutationFields } from "../finish_mutation.ts";
import { environmentName, idOf } from "../names.ts";
import { ENVIRONMENT_VIEW } from "../output/views.ts";
import { type EnvCreateFlags, environmentFields } from "./env_create.ts";

export interface EnvUpdateFlags extends EnvCreateFlags {
  readonly removeLabel?: readonly string[] | undefined;
  /** Lives for ever. */
  readonly keep?: boolean;
  /** So many milliseconds more. */
  readonly extend?: number;
}

/** `mpctl env update`, `env extend` and `env keep` */
export async function run(
  context: CommandContext,
  environment: string,
  flags: EnvUpdateFlags,
): Promise<number> {
  const name = environmentName(environment);
  const both = flags.removeLabel?.find((key) => Object.hasOwn(flags.label ?? {}, key));
  if (both !== undefined) {
    throw usageError(`Cannot update '${environment}': label '${both}' is to be set and removed`);
  }
  const connection = await connect(context);
  try {
    const client = connection.client(EnvironmentService);
    const current = await client.getEnvironment({ name });
    const fields = environmentFields(flags);
    const relabel = flags.label !== undefined || flags.removeLabel !== undefined;
    const labels = { ...current.labels, ...flags.label };
    for (const key of flags.removeLabel ?? []) delete labels[key];
    const quota = fields.quota &&
      Object.assign(create(QuotaSchema, current.quota), definedQuota(flags));
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
  } finally {
    connection.close();
  }
}

/** The moment until which an environment lives with so much more time. */
function extended({ name, expireTime }: Environment, ms: number): Timestamp {
  if (!expireTime) throw new CliError(`Cannot extend '${idOf(name)}': it never expires`);
  return timestampFromMs(timestampMs(expireTime) + ms);
}

function definedQuota({ maxWorkloads, maxCpu, maxMemory }: EnvUpdateFlags) {
  return {
    ...(maxWorkloads !== undefined && { workloads: maxWorkloads }),
    ...(maxCpu !== undefined && { cpu: maxCpu }),
    ...(maxMemory !== undefined && { memory: maxMemory }),
  };
}
