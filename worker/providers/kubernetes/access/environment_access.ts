import { isMpcError } from "@mpc/domain";
import { type Clock, type NamespaceIntent, sleepUnlessAborted } from "@mpc/services";
import type { KubeClient } from "../client/kube_client.ts";
import { fieldAt, type KubernetesObject } from "../client/kube_object.ts";
import { roleBinding, type Subject } from "../render/mod.ts";

/** How long an API server may take to notice a new RoleBinding. */
const NOTICE_MS = 5_000;

/**
 * The worker's own permissions inside environments. An administrator may give it all namespaces. A
 * worker with the role of `deploy/kubernetes/worker_role.yaml` binds the role for environments to
 * itself in each namespace that it creates.
 */
export class EnvironmentAccess {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  /** Null if no binding is needed; undefined until the cluster is asked. */
  #worker: Promise<Subject | null> | undefined;

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** The RoleBinding that the worker needs in a namespace; undefined if it needs none. */
  async binding(
    intent: NamespaceIntent,
    signal: AbortSignal,
  ): Promise<KubernetesObject | undefined> {
    const asking = this.#worker ??= this.#ask(signal);
    try {
      const worker = await asking;
      return worker === null ? undefined : roleBinding(intent, worker);
    } catch (error) {
      // The next call asks again.
      if (this.#worker === asking) this.#worker = undefined;
      // This call may have waited for an answer that another one no longer wants.
      if (isMpcError(error, "CANCELLED") && !signal.aborted) return this.binding(intent, signal);
      throw error;
    }
  }

  /**
   * Waits until the API server has noticed a new binding. Gives up without an error: the next request
   * says which permission is missing.
   */
  async noticed(namespace: string, signal: AbortSignal): Promise<void> {
    const end = this.#clock.monotonic() + NOTICE_MS;
    while (this.#clock.monotonic() < end) {
      if (await this.#may({ namespace, verb: "patch", resource: "secrets" }, signal)) return;
      if (!await sleepUnlessAborted(this.#clock, 20, signal)) return;
    }
  }

  async #ask(signal: AbortSignal): Promise<Subject | null> {
    const mayEverywhere = await this.#may({ verb: "patch", resource: "secrets" }, signal);
    return mayEverywhere ? null : await this.#whoAmI(signal);
  }

  async #may(
    resourceAttributes: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const review = await this.#client.review({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    }, { signal });
    return fieldAt(review, "status", "allowed") === true;
  }

  async #whoAmI(signal: AbortSignal): Promise<Subject> {
    const review = await this.#client.review({
      apiVersion: "authentication.k8s.io/v1",
      kind: "SelfSubjectReview",
    }, { signal });
    const user = String(fieldAt(review, "status", "userInfo", "username"));
    const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
    return namespace !== undefined && name !== undefined
      ? { kind: "ServiceAccount", namespace, name }
      : { kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user };
  }
}
