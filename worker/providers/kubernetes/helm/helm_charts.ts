import type { Chart } from "@mpc/domain";
import type { Clock, ProviderCall, WorkloadIntent } from "@mpc/services";
import type { ObjectKind } from "../client/kube_object.ts";
import { admitIngressController, inApplyOrder, type KubernetesObject } from "../render/mod.ts";
import { adoptChartObject } from "./adopt_chart_object.ts";
import { chartObjects } from "./chart_objects.ts";
import { type ChartRef, helmFailed } from "./helm_errors.ts";
import { type HelmOptions, isOneOf } from "./helm_options.ts";
import { resolveChart } from "./resolve_chart.ts";
import { runHelm } from "./run_helm.ts";

export type ChartIntent = WorkloadIntent & { readonly spec: { readonly chart: Chart } };

export const isChartIntent = (intent: WorkloadIntent): intent is ChartIntent =>
  intent.spec.chart !== null;

/**
 * Renders charts with `helm template`, which does not access a cluster. The release name is the
 * workload's id, the namespace is the environment's id.
 */
export class HelmCharts {
  readonly #options: HelmOptions;
  readonly #clock: Clock;

  constructor({ options, clock }: { options: HelmOptions; clock: Clock }) {
    this.#options = options;
    this.#clock = clock;
  }

  /** The additional kinds that the operator allows in charts. */
  get additionalKinds(): readonly ObjectKind[] {
    return [...this.#options.allowedKinds, ...this.#options.allowedClusterKinds];
  }

  /**
   * The objects of a workload with our labels, in the order of applying. If there is an Ingress,
   * they include a network policy that admits the ingress controller.
   * @throws {MpcError} permanent:
   *   - INVALID_ARGUMENT `CHART_VALUES_INVALID`: the chart's schema rejects values; `violations` lists them
   *   - NOT_FOUND `CHART_NOT_FOUND`, PERMISSION_DENIED `CHART_REPOSITORY_REFUSED`
   *   - FAILED_PRECONDITION `CHARTS_UNSUPPORTED`, `HELM_MISSING`; `CHART_FAILED`: helm fails;
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
    const { reference, flags } = await resolveChart(this.#options, ref, chart);
    const args = [
      ...["template", workload, reference, "--namespace", environment, "--values", "-"],
      // CRDs must be in the output, so that they can be rejected.
      ...["--include-crds", "--skip-tests", "--kube-version", this.#options.kubeVersion],
      ...flags,
    ];
    const values = JSON.stringify(chart.values);
    const output = await runHelm(this.#options, this.#clock, ref, args, values, signal);
    if (!output.success) throw helmFailed(ref, output.stderr, chart.values);
    const objects = chartObjects(this.#options, ref, environment, output.stdout);
    const { allowedClusterKinds } = this.#options;
    const adopted = objects.map((object) =>
      adoptChartObject(intent, object, isOneOf(allowedClusterKinds, object))
    );
    return inApplyOrder([...adopted, ...ingressPolicyOf(intent, adopted)]);
  }
}

/** The network policy for an Ingress, unless the chart contains one of the same name. */
function ingressPolicyOf(
  intent: WorkloadIntent,
  objects: readonly KubernetesObject[],
): readonly KubernetesObject[] {
  if (!objects.some(({ kind }) => kind === "Ingress")) return [];
  const policy = admitIngressController(intent);
  const exists = objects.some(({ kind, metadata }) =>
    kind === policy.kind && metadata.name === policy.metadata.name
  );
  return exists ? [] : [policy];
}
