/** The rules between the fields of a workload's spec. */
import type { SpecFields } from "./spec_fields.ts";

export interface SpecProblem {
  readonly path: readonly (string | number)[];
  readonly rule: string;
  readonly message: string;
}

/** Every rule that a spec breaks although each of its fields is valid by itself. */
export function specProblems(spec: SpecFields): readonly SpecProblem[] {
  return spec.chart ? besideChart(spec) : [
    ...(spec.image === "" ? [problem(["image"], "REQUIRED", "must be set")] : []),
    ...checks(spec),
    ...ingress(spec),
    ...variables(spec),
    ...copies(spec),
  ];
}

const problem = (path: SpecProblem["path"], rule: string, message: string): SpecProblem => ({
  path,
  rule,
  message,
});

/** A chart replaces all other fields. A spec with a chart is stored with 0 replicas. */
function besideChart(spec: SpecFields): readonly SpecProblem[] {
  const { chart: _, progressDeadlineMs: __, resources, replicas, ...rest } = spec;
  const set = [
    ...Object.entries(rest).filter(([, value]) => isSet(value)).map(([field]) => field),
    ...(resources.cpu || resources.memory ? ["resources"] : []),
    ...(replicas ? ["replicas"] : []),
  ];
  return set.map((field) =>
    problem([field], "CHART_ONLY", "must not be set with a chart: set it in the chart's values")
  );
}

function isSet(value: string | object | null): boolean {
  return typeof value === "string" ? value !== "" : Object.keys(value ?? {}).length > 0;
}

function checks(spec: SpecFields): readonly SpecProblem[] {
  const ports = new Set(spec.ports.map(({ port }) => port));
  return (["healthCheck", "livenessCheck"] as const).filter((field) => {
    const check = spec[field];
    return check && !ports.has(check.port);
  }).map((field) =>
    problem([field, "port"], "ONE_OF_PORTS", "must be one of the workload's ports")
  );
}

function ingress({ ingress, ports }: SpecFields): readonly SpecProblem[] {
  if (!ingress) return [];
  const tcp = ports.filter(({ protocol }) => protocol === "TCP").map(({ port }) => port);
  const found = ingress.port === 0 ? tcp.length > 0 : tcp.includes(ingress.port);
  const message = "must be one of the workload's TCP ports";
  return found ? [] : [problem(["ingress", "port"], "ONE_OF_PORTS", message)];
}

function variables({ env, envFrom }: SpecFields): readonly SpecProblem[] {
  return envFrom.flatMap(({ variable }, index) =>
    Object.hasOwn(env, variable)
      ? [problem(["envFrom", index, "variable"], "UNIQUE", `repeats '${variable}' of env`)]
      : []
  );
}

function copies(spec: SpecFields): readonly SpecProblem[] {
  const { autoscaling, replicas, resources, volumes } = spec;
  const problems: SpecProblem[] = [];
  if (autoscaling && resources.cpu === null) {
    const message = "must be set with autoscaling: its target is a percentage of it";
    problems.push(problem(["resources", "cpu"], "REQUIRED", message));
  }
  // A spec with autoscaling is stored with the minimum as its number of replicas.
  if (autoscaling && replicas !== undefined && replicas !== autoscaling.minReplicas) {
    const { minReplicas, maxReplicas } = autoscaling;
    const message =
      `must not be set with autoscaling, which decides between ${minReplicas} and ${maxReplicas}`;
    problems.push(problem(["replicas"], "AUTOSCALED", message));
  }
  const own = volumes.find(({ storage }) => storage && !storage.shared);
  if (own && (autoscaling?.maxReplicas ?? replicas ?? 1) > 1) {
    const message =
      `must be at most 1: volume '${own.name}' is storage for one copy; share it, or ` +
      "use scratch space";
    const path = autoscaling ? ["autoscaling", "maxReplicas"] : ["replicas"];
    problems.push(problem(path, "STORAGE_NOT_SHARED", message));
  }
  return problems;
}
