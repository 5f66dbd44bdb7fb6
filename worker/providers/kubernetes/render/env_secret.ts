import { createHash } from "node:crypto";
import type { V1Secret } from "@kubernetes/client-node";
import type { WorkloadIntent } from "@mpc/services";
import type { KubernetesObject } from "../client/kube_object.ts";
import type { Wire } from "../client/wire_format.ts";
import { partName, workloadMetadata } from "./metadata.ts";

export const envSecretName = (intent: WorkloadIntent): string => partName(intent, "env");

/**
 * The environment variables of a workload. They are in a Secret, which the cluster can encrypt and
 * which needs its own permission to read, so access to Deployments does not reveal them.
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
 * Changes with the variables, so that pods are replaced when one changes. The uid is a salt: it
 * hides that two workloads have equal values.
 */
export function envChecksum({ uid, spec }: WorkloadIntent): string | undefined {
  const lines = Object.entries(spec.env).map(([key, value]) => `${key}=${base64(value)}\n`);
  if (lines.length === 0) return undefined;
  return createHash("sha256").update(`${uid}\n${lines.sort().join("")}`).digest("hex");
}

const base64 = (text: string): string => new TextEncoder().encode(text).toBase64();
