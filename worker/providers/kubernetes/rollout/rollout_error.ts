import { MpcError } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import { statusError } from "../client/status_error.ts";
import { lastWarning } from "../reads/last_warning.ts";
import { redactFrom } from "../redact.ts";
import { nextStep } from "./next_step.ts";
import type { RolloutFailure } from "./verdict.ts";

/** What ends a program that may have said why. */
const PRINTS: ReadonlySet<string> = new Set(["CRASH_LOOP", "OOM_KILLED", "JOB_FAILED"]);

/** What a failed rollout is answered with: the pod's own reason, and how it ended. */
export async function rolloutError(
  client: KubeClient,
  intent: WorkloadIntent,
  failure: RolloutFailure,
  signal: AbortSignal,
): Promise<MpcError> {
  const { environment: namespace, workload, spec } = intent;
  const { reason, podReason, subject, exitCode } = failure;
  if (reason === "REPLICA_REFUSED") return refused(client, { namespace, workload }, failure);
  const printed = PRINTS.has(reason) ? await lastLines(client, namespace, failure, signal) : "";
  // Programs that fail like to print what they were given.
  const lastLog = redactFrom(printed, [spec.env, spec.chart?.values ?? {}]);
  const lastLine = lastLog.split("\n").at(-1);
  // What a pod waits for stands in its events alone, for instance a volume that cannot be had.
  const warned = reason === "PROGRESS_DEADLINE_EXCEEDED"
    ? await lastWarning(client, { namespace, name: subject.name }, signal)
    : "";
  const known = warned ? `${failure.message}; the cluster warned of ${warned}` : failure.message;
  const helps = nextStep({ namespace, failure: { ...failure, message: known }, lastLog });
  const message = helps ? `${known}; ${helps}` : known;
  const told = lastLine ? `${message}; the last that it printed: ${lastLine}` : message;
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
    cause: new MpcError("FAILED_PRECONDITION", { reason: podReason, message: told }),
  });
}

/** A pod that was not let in: the quota's, the webhook's or the policy's own words. */
function refused(
  { cluster }: KubeClient,
  { namespace, workload }: { readonly namespace: string; readonly workload: string },
  { message }: RolloutFailure,
): MpcError {
  const error = statusError(
    { code: 403, reason: "Forbidden", message },
    { action: `roll out '${workload}'`, cluster, namespace },
  );
  return new MpcError(error.code === "PERMISSION_DENIED" ? "FAILED_PRECONDITION" : error.code, {
    reason: error.code === "PERMISSION_DENIED" ? "ADMISSION_DENIED" : error.reason,
    message: error.message,
    retryable: false,
    metadata: error.metadata,
  });
}

const LAST_LINES = 5;
const LONGEST_LOG = 1_000;

/** The end of what a container printed; what cannot be had is left out. */
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
      // The failure is what matters, not that its logs are gone with the container.
      if (!(error instanceof MpcError) || signal.aborted) throw error;
    }
    if (lines.length > 0) return lines.join("\n").slice(-LONGEST_LOG);
  }
  return "";
}
