import { join } from "node:path";
import type { Chart } from "@mpc/domain";
import { parse } from "yaml";
import { chartNotFound, type ChartRef, noCharts, repositoryRefused } from "./helm_errors.ts";
import type { HelmOptions } from "./helm_options.ts";

/** Names a chart for helm. */
export interface FoundChart {
  /** A path, or the chart in its registry. */
  readonly reference: string;
  /** Flags of helm's that go with it. */
  readonly flags: readonly string[];
}

/** Where registries are asked without TLS, as every tool does it. */
const LOOPBACK = /^oci:\/\/(localhost|127\.0\.0\.1)[:/]/;

/**
 * Finds a chart: `<folder>/<name>-<version>.tgz`, or the folder `<folder>/<name>` where its version
 * is the one asked for; or in a registry that is allowed.
 * @throws {MpcError} NOT_FOUND `CHART_NOT_FOUND`, PERMISSION_DENIED `CHART_REPOSITORY_REFUSED`,
 *   FAILED_PRECONDITION `CHARTS_UNSUPPORTED`
 */
export async function findChart(
  { chartsFolder, repositories }: HelmOptions,
  ref: ChartRef,
  { name, version }: Chart,
): Promise<FoundChart> {
  if (name.startsWith("oci://")) {
    if (!repositories.some((prefix) => name.startsWith(prefix))) {
      throw repositoryRefused(ref, repositories.join(", "));
    }
    const plain = LOOPBACK.test(name) ? ["--plain-http"] : [];
    return { reference: name, flags: ["--version", version, ...plain] };
  }
  if (chartsFolder === null) throw noCharts(ref);
  const folder = join(chartsFolder, name);
  const archive = `${folder}-${version}.tgz`;
  if (await exists(archive)) return { reference: archive, flags: [] };
  const found = await versionOf(folder);
  if (found !== version) throw chartNotFound(ref, version, found ?? "");
  return { reference: folder, flags: [] };
}

async function exists(path: string): Promise<boolean> {
  return await unlessMissing(Deno.stat(path)) !== undefined;
}

async function versionOf(folder: string): Promise<string | undefined> {
  const text = await unlessMissing(Deno.readTextFile(join(folder, "Chart.yaml")));
  const chart: unknown = text === undefined ? undefined : parse(text);
  const isChart = typeof chart === "object" && chart !== null && "version" in chart;
  return isChart ? String(chart.version) : undefined;
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return;
    throw error;
  }
}
