import { createHash } from "node:crypto";
import type { V1Secret } from "@kubernetes/client-node";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "./kubernetes_object.ts";
import { partName, workloadMetadata } from "./metadata.ts";
import type { Wire } from "./wire.ts";

/** Name of the Secret with a workload's variables. */
export const envSecretName = (intent: WorkloadIntent): string => partName(intent, "env");

/**
 * The variables of a workload. Their values are secret, so they lie where the cluster can encrypt
 * them and grants to read them of their own; whoever may read Deployments does not see them.
 */
export function envSecret(intent: WorkloadIntent): KubernetesObject | undefined {
  const entries = Object.entries(intent.spec.env);
  if (entries.length === 0) return undefined;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: workloadMetadata(intent, envSecretName(intent)),
    type: "Opaque",
    data: Object.fromEntries(entries.map(([key, value]) => [key, base64(value)])),
  } satisfies Wire<V1Secret>;
}

/**
 * Changes with the variables, so that pods are replaced when one does. The uid goes into it, so that
 * equal values of two workloads cannot be told.
 */
export function envChecksum({ uid, spec }: WorkloadIntent): string | undefined {
  const lines = Object.entries(spec.env).map(([key, value]) => `${key}=${base64(value)}\n`);
  if (lines.length === 0) return undefined;
  return createHash("sha256").update(`${uid}\n${lines.sort().join("")}`).digest("hex");
}

const base64 = (text: string): string => new TextEncoder().encode(text).toBase64();
