import { type Advice, adviceFor, type ErrorReason } from "@mpc/domain";
import type { WorkloadIntent } from "@mpc/services";
import { statusError } from "../client/status_error.ts";
import { missingSource, type WaitingReason } from "./waiting_reason.ts";

/** What the reasons that Kubernetes gives mean in the catalogue of reasons. */
const KNOWN: Readonly<Record<string, ErrorReason>> = {
  ErrImagePull: "IMAGE_PULL_FAILED",
  ImagePullBackOff: "IMAGE_PULL_FAILED",
  CrashLoopBackOff: "CRASH_LOOP",
  FailedBinding: "VOLUME_NOT_BOUND",
  ProvisioningFailed: "VOLUME_NOT_BOUND",
  Unschedulable: "UNSCHEDULABLE",
  FailedScheduling: "UNSCHEDULABLE",
};

/** Who can end what a rollout waits for, and how. */
export function waitingAdvice(
  { environment, workload }: Pick<WorkloadIntent, "environment" | "workload">,
  { reason, message }: WaitingReason,
): Advice {
  const missing = missingSource(message);
  if (missing) {
    const { kind, name } = missing;
    const what = kind === "Secret" ? "secret generic" : "configmap";
    return {
      responsible: "caller",
      nextStep: `Create the ${kind} '${name}', or correct its name and deploy again`,
      command: `kubectl create ${what} ${name} --namespace ${environment} --from-literal=KEY=VALUE`,
    };
  }
  if (reason === "Unhealthy") {
    return {
      responsible: "caller",
      nextStep: "See in the program's log why it does not pass its health check",
      command: `mpctl workload logs ${workload} --env ${environment}`,
    };
  }
  const known = reason === "FailedCreate"
    ? statusError({ code: 403, message }, { action: "", cluster: "" }).reason
    : KNOWN[reason];
  const events = `mpctl workload events ${workload} --env ${environment}`;
  if (known === undefined) {
    return { responsible: "caller", nextStep: "See what the cluster reports", command: events };
  }
  const { responsible, nextStep, command } = adviceFor({
    code: "FAILED_PRECONDITION",
    reason: known,
  });
  const filled = command.replace("{environment}", environment).replace("{workload}", workload);
  return { responsible, nextStep, command: filled || events };
}
