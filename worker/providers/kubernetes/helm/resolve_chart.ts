import { join } from "node:path";
import type { Chart } from "@mpc/domain";
import { parse } from "yaml";
import { chartNotFound, type ChartRef, noCharts, repositoryRefused } from "./helm_errors.ts";
import type { HelmOptions } from "./helm_options.ts";

/** A chart as an argument of helm. */
export interface ResolvedChart {
  /** A path, or an `oci://` address. */
  readonly reference: string;
  /** Additional flags of helm. */
  readonly flags: readonly string[];
}

/** Registries on the loopback interface are used without TLS, as other tools do. */
const LOOPBACK = /^oci:\/\/(localhost|127\.0\.0\.1)[:/]/;

/**
 * Resolves a chart to `<folder>/<name>-<version>.tgz`, to the folder `<folder>/<name>` if it has the
 * requested version, or to an address in an allowed registry.
 * @throws {MpcError} NOT_FOUND `CHART_NOT_FOUND`, PERMISSION_DENIED `CHART_REPOSITORY_REFUSED`,
 *   FAILED_PRECONDITION `CHARTS_UNSUPPORTED`
 */
export async function resolveChart(
  { chartsFolder, repositories }: HelmOptions,
  ref: ChartRef,
  { name, version }: Chart,
): Promise<ResolvedChart> {
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
