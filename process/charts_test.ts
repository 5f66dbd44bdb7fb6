import assert from "node:assert/strict";
import { Command } from "@commander-js/extra-typings";
import { z } from "zod";
import { CHART_FLAGS, type ChartSettings, chartsOf, NO_CHARTS, withCharts } from "./charts.ts";
import { readFlags } from "./read_flags.ts";

function read(args: readonly string[], env = {}): ChartSettings {
  const flags = readFlags(withCharts(new Command("test"), env), z.object(CHART_FLAGS), args, env);
  assert.ok(flags);
  return chartsOf(flags);
}

Deno.test("without flags there are no charts", () => {
  assert.deepEqual(read([]), NO_CHARTS);
});

Deno.test("flags and environment configure which charts exist, and what they may contain", () => {
  const args = [
    ...["--chart-registry", "oci://a.example.com/team/", "--chart-registry", "oci://b/"],
    ...["--chart-kind", "cert-manager.io/v1/Certificate", "--chart-hooks"],
    ...["--chart-cluster-kind", "rbac.authorization.k8s.io/v1/ClusterRole", "--helm", "/bin/helm"],
  ];
  assert.deepEqual(read(args, { MPC_CHARTS: "/charts" }), {
    helm: "/bin/helm",
    chartsFolder: "/charts",
    repositories: ["oci://a.example.com/team/", "oci://b/"],
    registryConfig: null,
    allowHooks: true,
    allowedKinds: ["cert-manager.io/v1/Certificate"],
    allowedClusterKinds: ["rbac.authorization.k8s.io/v1/ClusterRole"],
  });
});

for (
  const [flag, value] of [
    ["--chart-registry", "https://charts.example.com"],
    ["--chart-registry", "oci://registry.example.com"],
    ["--chart-kind", "Certificate"],
    ["--chart-cluster-kind", "v1/namespace"],
  ] as const
) {
  Deno.test(`${flag} ${value} is rejected`, () => {
    assert.throws(() => read([flag, value]), { code: "INVALID_ARGUMENT", reason: "USAGE" });
  });
}
