import type { RolloutFailure } from "./rollout_failure.ts";

interface FailedRollout {
  readonly namespace: string;
  readonly failure: RolloutFailure;
  /** The last lines that its container printed. */
  readonly lastLog: string;
}

/** What to do about a failure that the cluster does not explain by itself; empty otherwise. */
export function failureHint({ namespace, failure, lastLog }: FailedRollout): string {
  const { reason, message } = failure;
  if (/runAsNonRoot and image will run as root/.test(message)) {
    return "no pod may run as root here: use an image whose USER is a number other than 0";
  }
  const [, user] = /runAsNonRoot and image has non-numeric user \(([^)]*)\)/.exec(message) ?? [];
  if (user !== undefined) {
    return `no pod may run as root here, and '${user}' may be: give the image's USER as its number`;
  }
  const [, kind, name] = /(secret|configmap) "([^"]+)" not found/i.exec(message) ?? [];
  if (kind !== undefined) {
    const what = kind.toLowerCase() === "secret" ? "secret generic" : "configmap";
    return `make it by 'kubectl create ${what} ${name} --namespace ${namespace} --from-literal=KEY=VALUE'`;
  }
  if (reason === "IMAGE_PULL_FAILED" && /unauthorized|denied|forbidden|\b40[13]\b/i.test(message)) {
    return `if the image is private, have its pods pull with a secret of type docker-registry: ` +
      `kubectl patch serviceaccount workloads --namespace ${namespace} ` +
      `--patch '{"imagePullSecrets":[{"name":"SECRET"}]}'`;
  }
  return /read-only file ?system/i.test(lastLog)
    ? "its root filesystem cannot be written: mount a volume where it writes, for instance " +
      "'--volume cache=/var/cache:scratch'"
    : "";
}
