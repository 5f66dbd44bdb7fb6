import { errorFor, ForeignError, isMpcError, MpcError } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import { statusError } from "../client/status_error.ts";
import { readEvents } from "../reads/cluster_events.ts";
import { redactFrom } from "../redact.ts";
import { failureHint } from "./failure_hint.ts";
import type { RolloutFailure } from "./rollout_failure.ts";

/** Failures that the log of the program may explain. */
const EXPLAINED_BY_LOG: ReadonlySet<string> = new Set(["CRASH_LOOP", "OOM_KILLED", "JOB_FAILED"]);

/** The error of a failed rollout: the reason that Kubernetes gives, with logs, events and a hint. */
export async function rolloutError(
  client: KubeClient,
  intent: WorkloadIntent,
  failure: RolloutFailure,
  signal: AbortSignal,
): Promise<MpcError> {
  const { environment: namespace, workload, spec } = intent;
  const { reason, podReason, subject, exitCode } = failure;
  if (reason === "REPLICA_REFUSED") return refused(client, { namespace, workload }, failure);
  const printed = EXPLAINED_BY_LOG.has(reason)
    ? await lastLines(client, namespace, failure, signal)
    : "";
  // Programs often print their configuration when they fail.
  const lastLog = redactFrom(printed, [spec.env, spec.chart?.values ?? {}]);
  const lastLine = lastLog.split("\n").at(-1);
  // Only events say what a pod waits for, for instance a volume that cannot be attached.
  const warned = reason === "PROGRESS_DEADLINE_EXCEEDED"
    ? await lastWarning(client, { namespace, name: subject.name }, signal)
    : "";
  const known = warned ? `${failure.message}; the cluster warned of ${warned}` : failure.message;
  const hint = failureHint({ namespace, failure: { ...failure, message: known }, lastLog });
  const message = hint ? `${known}; ${hint}` : known;
  const told = lastLine ? `${message}; its last output: ${lastLine}` : message;
  const it = subject.kind === "controller" ? `it` : `${subject.kind} '${subject.name}'`;
  return new MpcError("FAILED_PRECONDITION", {
    reason,
    message: `Cannot roll out '${workload}': ${it} is ${podReason}: ${message}`,
    retryable: false,
    metadata: {
      ...(subject.kind === "job" ? { job: subject.name } : { pod: subject.name }),
      ...(failure.pod !== undefined && { pod: failure.pod }),
      ...(exitCode !== undefined && { exitCode: String(exitCode) }),
      ...(lastLog !== "" && { lastLog }),
    },
    cause: new ForeignError("FAILED_PRECONDITION", { reason: podReason, message: told }),
  });
}

/** The error for pods that the API server rejects, by a quota, a webhook or a policy. */
function refused(
  { cluster }: KubeClient,
  { namespace, workload }: { readonly namespace: string; readonly workload: string },
  { message }: RolloutFailure,
): MpcError {
  const error = statusError(
    { code: 403, reason: "Forbidden", message },
    { action: `roll out '${workload}'`, cluster, namespace },
  );
  return errorFor(error.code === "PERMISSION_DENIED" ? "ADMISSION_DENIED" : error.reason, {
    message: error.message,
    retryable: false,
    metadata: error.metadata,
  });
}

const LAST_LINES = 5;
const LONGEST_LOG = 1_000;

/** The last lines that a container printed; empty if its logs cannot be read. */
async function lastLines(
  client: KubeClient,
  namespace: string,
  { subject, pod = subject.name, container }: RolloutFailure,
  signal: AbortSignal,
): Promise<string> {
  for (const previous of [true, false]) {
    const lines: string[] = [];
    try {
      const logs = client.podLogs({
        namespace,
        pod,
        container,
        previous,
        follow: false,
        tail: LAST_LINES,
        since: null,
        signal,
      });
      for await (const { text } of logs) lines.push(text);
    } catch (error) {
      // Missing logs must not hide the failure itself.
      if (!(error instanceof MpcError) || signal.aborted) throw error;
    }
    if (lines.length > 0) return lines.join("\n").slice(-LONGEST_LOG);
  }
  return "";
}

/**
 * The last warning about an object of this name, as `Reason: message`; empty if there is none, or
 * if events cannot be read.
 */
async function lastWarning(
  client: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<string> {
  try {
    const fieldSelector = `involvedObject.name=${name}`;
    const events = await readEvents(client, { namespace, fieldSelector }, signal);
    const last = events.findLast((event) => event.warning && event.name === name);
    return last ? `${last.reason}: ${last.message}` : "";
  } catch (error) {
    if (!isMpcError(error) || signal.aborted) throw error;
    return "";
  }
}
