import type { ChartSettings } from "@mpc/process";
import type { Clock } from "@mpc/services";
import type { ObjectKind } from "./client/kube_object.ts";
import { DEFAULT_HELM_OPTIONS, HelmCharts } from "./helm/mod.ts";

/**
 * What renders charts by a process's settings.
 * @param cacheFolder where helm may keep what it pulls; null where nothing is kept
 */
export function openCharts(
  settings: ChartSettings,
  { clock, cacheFolder }: { readonly clock: Clock; readonly cacheFolder: string | null },
): HelmCharts {
  const options = {
    ...DEFAULT_HELM_OPTIONS,
    ...settings,
    cacheFolder,
    allowedKinds: settings.allowedKinds.map(toKind),
    allowedClusterKinds: settings.allowedClusterKinds.map(toKind),
  };
  return new HelmCharts({ options, clock });
}

/** `apps/v1/Deployment` is the kind `Deployment` of `apps/v1`. */
function toKind(text: string): ObjectKind {
  const at = text.lastIndexOf("/");
  return { apiVersion: text.slice(0, at), kind: text.slice(at + 1) };
}
