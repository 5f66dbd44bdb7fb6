import type { WorkloadIntent } from "@mpc/services";
import {
  type KubernetesObject,
  RESTART_TOKEN,
  REVISION,
  SERVICE_ACCOUNT,
  workloadLabels,
} from "../render/mod.ts";

/** The path of the pod template in each kind. */
const POD_TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
};

/** Kinds that replace their pods when the template changes. A Job's template is immutable. */
const ROLLED_OUT: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "DaemonSet"]);

type Fields = Readonly<Record<string, unknown>>;

/**
 * Makes an object of a chart belong to the workload: sets the namespace, and our labels on the object
 * and its pods, which get no token of the API server that the chart does not ask for. Controllers also get the revision, the restart token and the progress deadline.
 */
export function adoptChartObject(
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
  // A Job's template is immutable, so it gets no user labels, which may change.
  const owner = kind === "Job" ? { ...intent, labels: {} } : intent;
  const withPods = change(adopted, path, (template) => ({
    ...template,
    metadata: podMetadata(owner, fieldsOf(template["metadata"]), isRolledOut),
    spec: withoutToken(fieldsOf(template["spec"])),
  }));
  if (kind === "Deployment") return change(withPods, ["spec"], withDeadline(intent));
  return kind === "StatefulSet" ? change(withPods, ["spec"], withOwnedClaims(intent)) : withPods;
}

/** The chart's labels, overridden by our ownership labels. */
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

/**
 * Pods for which the chart names no account get the environment's, which has no permissions, and no
 * token unless the chart asks for one. The token of an account that the chart names is its matter.
 */
function withoutToken(pod: Fields): Fields {
  const { serviceAccountName = "", serviceAccount = "" } = pod;
  if ([serviceAccountName, serviceAccount].some((name) => name !== "" && name !== "default")) {
    return pod;
  }
  const { serviceAccount: _, ...rest } = pod;
  return { automountServiceAccountToken: false, ...rest, serviceAccountName: SERVICE_ACCOUNT };
}

const withDeadline = ({ spec }: WorkloadIntent) => (fields: Fields): Fields => ({
  progressDeadlineSeconds: Math.ceil(spec.progressDeadlineMs / 1_000),
  ...fields,
});

/**
 * Labels the claim templates of a StatefulSet, so that its claims are deleted with the workload. The
 * templates are immutable, so they get no user labels, which may change.
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

/** Replaces the fields at a path of an object. */
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
