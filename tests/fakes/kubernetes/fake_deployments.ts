import type { V1OwnerReference } from "@kubernetes/client-node";
import type { Clock } from "@mpc/services";
import {
  DEPLOYMENT,
  EVENT,
  POD,
  REPLICA_SET,
} from "../../../worker/providers/kubernetes/client/kinds.ts";
import {
  fieldAt,
  type LiveObject,
  refOf,
} from "../../../worker/providers/kubernetes/client/kube_object.ts";
import { conditionOf } from "../../../worker/providers/kubernetes/client/typed_objects.ts";
import type { FakeApiServer } from "./fake_api_server.ts";
import { podStatusOf } from "./pod_status.ts";
import { quotaRefusal } from "./quota_admission.ts";

export interface PodDelays {
  /** The time between the readiness of one pod and the next. */
  readonly podMs: number;
}

/** The last line that a `:crash` image prints. */
const CRASH_LINE = "fatal: cannot read configuration: no such file";

/** Rolls Deployments out pod by pod, like the controllers and kubelets of a cluster. */
export class FakeDeployments {
  readonly #server: FakeApiServer;
  readonly #clock: Clock;
  readonly #delays: PodDelays;
  readonly #later: (ms: number, act: () => void) => void;
  /** Rollouts that have begun, by the Deployment's uid and generation. */
  readonly #begun = new Set<string>();
  #events = 0;

  constructor(options: {
    readonly server: FakeApiServer;
    readonly clock: Clock;
    readonly delays: PodDelays;
    readonly later: (ms: number, act: () => void) => void;
  }) {
    this.#server = options.server;
    this.#clock = options.clock;
    this.#delays = options.delays;
    this.#later = options.later;
  }

  printed(pod: string): readonly { readonly time: number; readonly text: string }[] {
    const found = this.#server.list(POD).find(({ metadata }) => metadata.name === pod);
    const started = Date.parse(String(found?.metadata.creationTimestamp));
    const crashed = fieldAt(found, "status", "containerStatuses", 0, "lastState") !== undefined;
    return [
      { time: started, text: "starting" },
      ...(crashed ? [{ time: started, text: CRASH_LINE }] : []),
    ];
  }

  /** Begins the rollout of a generation, once. */
  reconcile(deployment: LiveObject): void {
    const { uid, generation, deletionTimestamp } = deployment.metadata;
    const key = `${uid}/${generation}`;
    if (deletionTimestamp !== undefined || this.#begun.has(key)) return;
    this.#begun.add(key);
    this.#later(1, () => this.#rollOut(refOf(deployment), generation ?? 0));
  }

  #rollOut(ref: ReturnType<typeof refOf>, generation: number): void {
    const deployment = this.#server.get(ref);
    if (!deployment || deployment.metadata.generation !== generation) return;
    const template = JSON.stringify(fieldAt(deployment, "spec", "template"));
    const sets = this.#server.list(REPLICA_SET, { namespace: ref.namespace })
      .filter((set) => isOf(set, deployment));
    const same = sets.find((set) => JSON.stringify(fieldAt(set, "spec", "template")) === template);
    const revision = same?.metadata.annotations?.[REVISION] ?? String(sets.length + 1);
    const set = same ?? this.#createSet(deployment, revision);
    this.#annotate(ref, revision);
    for (const old of sets) if (old.metadata.uid !== set.metadata.uid) this.#scale(old, 0);
    this.#scale(set, Number(fieldAt(deployment, "spec", "replicas") ?? 1));
    this.#observe(ref, set);
    this.#nextPod(ref, generation, set);
  }

  /** Makes the next pod ready, or fails it. */
  #nextPod(ref: ReturnType<typeof refOf>, generation: number, set: LiveObject): void {
    const deployment = this.#server.get(ref);
    if (!deployment || deployment.metadata.generation !== generation) return;
    const waiting = this.#podsOf(set).find((pod) => !isReady(pod));
    if (!waiting) return;
    const tag = tagOf(deployment);
    const slow = tag === "slow" ? 10 : 1;
    this.#later(this.#delays.podMs * slow, () => {
      const pod = this.#server.get(refOf(waiting));
      if (pod) {
        this.#server.update(
          { ...pod, status: podStatusOf(tag, this.#clock.now()) },
          "kubelet",
          "status",
        );
      }
      this.#observe(ref, set);
      if (
        pod && tag !== "missing" && tag !== "crash" && tag !== "unschedulable" && tag !== "stuck"
      ) {
        this.#nextPod(ref, generation, set);
      }
    });
    if (tag !== "stuck") return;
    const seconds = Number(fieldAt(deployment, "spec", "progressDeadlineSeconds") ?? 600);
    this.#later(seconds * 1_000, () => this.#observe(ref, set, DEADLINE_PASSED));
  }

  #createSet(deployment: LiveObject, revision: string): LiveObject {
    const template = fieldAt(deployment, "spec", "template");
    const set = {
      ...REPLICA_SET,
      metadata: {
        name: `${deployment.metadata.name}-${letters(Number(revision), 9)}`,
        namespace: deployment.metadata.namespace!,
        labels: fieldAt(template, "metadata", "labels") as Record<string, string>,
        annotations: { [REVISION]: revision },
        ownerReferences: [ownedBy(deployment)],
      },
      spec: { replicas: 0, template },
    };
    this.#server.update(set, "fake-controller");
    return this.#server.get(refOf(set))!;
  }

  #scale(set: LiveObject, replicas: number): void {
    const pods = this.#podsOf(set);
    for (const pod of pods.slice(replicas)) this.#server.remove(refOf(pod));
    for (let index = pods.length; index < replicas; index++) {
      const refusal = quotaRefusal(this.#server, set);
      if (refusal) return this.#refuse(set, refusal);
      const name = `${set.metadata.name}-${letters(index, 5)}`;
      this.#notice(set, "SuccessfulCreate", `Created pod: ${name}`);
      this.#server.update({
        ...POD,
        metadata: {
          name,
          namespace: set.metadata.namespace!,
          labels: set.metadata.labels ?? {},
          ownerReferences: [ownedBy(set)],
        },
        spec: fieldAt(set, "spec", "template", "spec"),
        status: { phase: "Pending", conditions: [{ type: "Ready", status: "False" }] },
      }, "fake-controller");
    }
  }

  #notice({ kind, metadata }: LiveObject, reason: string, message: string): void {
    const { namespace = "", name, uid } = metadata;
    this.#server.update({
      ...EVENT,
      metadata: { name: `${name}.${++this.#events}`, namespace },
      involvedObject: { kind, namespace, name, uid },
      type: "Normal",
      reason,
      message,
      count: 1,
      lastTimestamp: new Date(this.#clock.now()).toISOString(),
    }, "fake-controller");
  }

  #refuse(set: LiveObject, message: string): void {
    const now = this.#server.get(refOf(set)) ?? set;
    const conditions = [{
      type: "ReplicaFailure",
      status: "True",
      reason: "FailedCreate",
      message,
    }];
    const { generation: observedGeneration } = now.metadata;
    const status = { observedGeneration, conditions };
    this.#server.update({ ...now, status }, "fake-controller", "status");
  }

  #annotate(ref: ReturnType<typeof refOf>, revision: string): void {
    const deployment = this.#server.get(ref);
    if (!deployment) return;
    const { metadata } = deployment;
    const annotations = { ...metadata.annotations, [REVISION]: revision };
    this.#server.update(
      { ...deployment, metadata: { ...metadata, annotations } },
      "fake-controller",
    );
  }

  #observe(ref: ReturnType<typeof refOf>, set: LiveObject, condition?: object): void {
    const deployment = this.#server.get(ref);
    if (!deployment) return;
    const pods = this.#podsOf(set);
    const ready = pods.filter(isReady).length;
    const status = {
      observedGeneration: deployment.metadata.generation,
      replicas: pods.length,
      updatedReplicas: pods.length,
      readyReplicas: ready,
      availableReplicas: ready,
      conditions: condition ? [condition] : [],
    };
    this.#server.update({ ...deployment, status }, "fake-controller", "status");
  }

  #podsOf(set: LiveObject): readonly LiveObject[] {
    return this.#server.list(POD, { namespace: set.metadata.namespace })
      .filter((pod) => isOf(pod, set));
  }
}

/** The tag of a Deployment's first image. */
export function tagOf(object: LiveObject): string {
  if (object.kind !== DEPLOYMENT.kind) return "";
  const image = fieldAt(object, "spec", "template", "spec", "containers", 0, "image");
  return String(image ?? "").split(":").at(-1) ?? "";
}

const REVISION = "deployment.kubernetes.io/revision";

const LETTERS = "bcdfghjklmnpqrstvwxz";

/** A number as letters, like the suffixes that Kubernetes generates. */
function letters(number: number, length: number): string {
  const digits = Array.from(number.toString(20), (digit) => LETTERS[parseInt(digit, 20)]);
  return digits.join("").padStart(length, LETTERS[0]);
}

const DEADLINE_PASSED = {
  type: "Progressing",
  status: "False",
  reason: "ProgressDeadlineExceeded",
  message: "ReplicaSet has timed out progressing.",
};

function ownedBy({ apiVersion, kind, metadata }: LiveObject): V1OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "", controller: true };
}

const isOf = (object: LiveObject, owner: LiveObject): boolean =>
  (object.metadata.ownerReferences ?? []).some(({ uid }) => uid === owner.metadata.uid);

const isReady = (pod: LiveObject): boolean => conditionOf(pod, "Ready")?.status === "True";
