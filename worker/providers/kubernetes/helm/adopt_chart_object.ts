import type { WorkloadIntent } from "@mpc/services";
import { type KubernetesObject, RESTART_TOKEN, REVISION } from "../render/mod.ts";
import { workloadLabels } from "../render/metadata.ts";

/** Where the pods of a kind are described, as a path of fields. */
const POD_TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
};

/** Kinds that replace their pods when the template changes; a Job's can never change. */
const ROLLED_OUT: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "DaemonSet"]);

type Fields = Readonly<Record<string, unknown>>;

/**
 * Makes a chart's object one of the workload's: in its namespace, with our labels, on its pods too;
 * what rolls pods out carries the revision, the restart token and the progress deadline.
 */
export function adopt(
  intent: WorkloadIntent,
  object: KubernetesObject,
  isClusterScoped: boolean,
): KubernetesObject {
  const { kind, metadata } = object;
  const path = POD_TEMPLATES[kind];
  const adopted = {
    ...object,
    metadata: {
      ...metadata,
      ...(!isClusterScoped && { namespace: intent.environment }),
      labels: labelled(intent, metadata.labels),
      ...(path && {
        annotations: { ...metadata.annotations, [REVISION]: String(intent.revision) },
      }),
    },
  };
  if (!path) return adopted;
  const isRolledOut = ROLLED_OUT.has(kind);
  // A Job's pods can never change, so they have no label of the caller's, which may.
  const owner = kind === "Job" ? { ...intent, labels: {} } : intent;
  const withPods = change(adopted, path, (template) => ({
    ...template,
    metadata: podMetadata(owner, fieldsOf(template["metadata"]), isRolledOut),
  }));
  if (kind === "Deployment") return change(withPods, ["spec"], withDeadline(intent));
  return kind === "StatefulSet" ? change(withPods, ["spec"], withOwnedClaims(intent)) : withPods;
}

/** The chart's own labels, but for those that say whose it is. */
function labelled(intent: WorkloadIntent, labels: unknown): Readonly<Record<string, string>> {
  return workloadLabels({ ...intent, labels: { ...intent.labels, ...textsOf(labels) } });
}

function podMetadata(intent: WorkloadIntent, metadata: Fields, isRolledOut: boolean): Fields {
  const { restartToken } = intent;
  return {
    ...metadata,
    labels: labelled(intent, metadata["labels"]),
    ...(isRolledOut && restartToken !== "" && {
      annotations: { ...fieldsOf(metadata["annotations"]), [RESTART_TOKEN]: restartToken },
    }),
  };
}

const withDeadline = ({ spec }: WorkloadIntent) => (fields: Fields): Fields => ({
  progressDeadlineSeconds: Math.ceil(spec.progressDeadlineMs / 1_000),
  ...fields,
});

/**
 * The claims that a StatefulSet makes are ours too, so that they go with the workload. They can
 * never change, so they have no label of the caller's, which may.
 */
const withOwnedClaims = (intent: WorkloadIntent) => (fields: Fields): Fields => {
  const templates = fields["volumeClaimTemplates"];
  if (!Array.isArray(templates)) return fields;
  const owned = { ...intent, labels: {} };
  const claims = templates.map((template) => {
    const metadata = fieldsOf(fieldsOf(template)["metadata"]);
    return {
      ...fieldsOf(template),
      metadata: { ...metadata, labels: labelled(owned, metadata["labels"]) },
    };
  });
  return { ...fields, volumeClaimTemplates: claims };
};

/** The object with the fields at a path replaced. */
function change<Whole extends Fields>(
  object: Whole,
  [key, ...rest]: readonly string[],
  replace: (fields: Fields) => Fields,
): Whole {
  if (key === undefined) return { ...object, ...replace(object) };
  return { ...object, [key]: change(fieldsOf(object[key]), rest, replace) };
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};

const textsOf = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, text]) => [key, String(text)]));
