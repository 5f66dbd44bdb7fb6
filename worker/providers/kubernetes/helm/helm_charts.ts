import type { Chart } from "@mpc/domain";
import type { Clock, ProviderCall, WorkloadIntent } from "@mpc/services";
import type { ObjectKind } from "../client/kube_object.ts";
import { admitIngress } from "../render/ingress_policy.ts";
import { inApplyOrder, type KubernetesObject } from "../render/mod.ts";
import { adopt } from "./adopt.ts";
import { chartObjects } from "./chart_objects.ts";
import { findChart } from "./find_chart.ts";
import { type ChartRef, helmFailed } from "./helm_errors.ts";
import { type HelmOptions, isOneOf } from "./helm_options.ts";
import { runHelm } from "./run_helm.ts";

/** A workload that is a chart. */
export type ChartIntent = WorkloadIntent & { readonly spec: { readonly chart: Chart } };

/** Whether a workload is a chart, and so rendered by {@linkcode HelmCharts}. */
export const isChartIntent = (intent: WorkloadIntent): intent is ChartIntent =>
  intent.spec.chart !== null;

/**
 * Renders workloads that are charts, by the helm program (`helm template`), which needs no cluster
 * and changes none. The release's name is the workload's id, its namespace the environment's.
 */
export class HelmCharts {
  readonly #options: HelmOptions;
  readonly #clock: Clock;

  constructor({ options, clock }: { options: HelmOptions; clock: Clock }) {
    this.#options = options;
    this.#clock = clock;
  }

  /** What charts may make besides what workloads are made of anyway. */
  get moreKinds(): readonly ObjectKind[] {
    return [...this.#options.allowedKinds, ...this.#options.allowedClusterKinds];
  }

  /**
   * The objects of a workload, ours by their labels, in the order of applying. Where there is an
   * Ingress, also the policy that lets its controller in.
   * @throws {MpcError} permanent:
   *   - INVALID_ARGUMENT `CHART_VALUES_INVALID`: the chart's schema refuses values; each is told
   *   - NOT_FOUND `CHART_NOT_FOUND`, PERMISSION_DENIED `CHART_REPOSITORY_REFUSED`
   *   - FAILED_PRECONDITION `CHARTS_UNSUPPORTED`, `HELM_MISSING`; `CHART_FAILED`: it does not render;
   *     `CHART_TOO_LARGE`, `CHART_OUTPUT_INVALID`, `CHART_HOOK_REFUSED`, `CHART_KIND_REFUSED`,
   *     `CHART_NAMESPACE_REFUSED`
   * @throws {MpcError} DEADLINE_EXCEEDED `HELM_TIMEOUT`, retryable; CANCELLED `ABORTED_BY_CALLER`
   */
  async render(
    intent: ChartIntent,
    { signal }: ProviderCall,
  ): Promise<readonly KubernetesObject[]> {
    const { environment, workload, spec: { chart } } = intent;
    const ref: ChartRef = { workload, chart: chart.name };
    const { reference, flags } = await findChart(this.#options, ref, chart);
    const args = [
      ...["template", workload, reference, "--namespace", environment, "--values", "-"],
      // What helm would leave out of its output is seen, and refused where it is not allowed.
      ...["--include-crds", "--skip-tests", "--kube-version", this.#options.kubeVersion],
      ...flags,
    ];
    const values = JSON.stringify(chart.values);
    const output = await runHelm(this.#options, this.#clock, ref, args, values, signal);
    if (!output.success) throw helmFailed(ref, output.stderr, chart.values);
    const objects = chartObjects(this.#options, ref, environment, output.stdout);
    const { allowedClusterKinds } = this.#options;
    const adopted = objects.map((object) =>
      adopt(intent, object, isOneOf(allowedClusterKinds, object))
    );
    return inApplyOrder([...adopted, ...ingressPolicyOf(intent, adopted)]);
  }
}

/** What lets an Ingress' controller in, where the chart does not bring it. */
function ingressPolicyOf(
  intent: WorkloadIntent,
  objects: readonly KubernetesObject[],
): readonly KubernetesObject[] {
  if (!objects.some(({ kind }) => kind === "Ingress")) return [];
  const policy = admitIngress(intent);
  const isThere = objects.some(({ kind, metadata }) =>
    kind === policy.kind && metadata.name === policy.metadata.name
  );
  return isThere ? [] : [policy];
}
