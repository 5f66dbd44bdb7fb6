/** A table of intents for environments and workloads; each row shows one feature. */
import { NO_QUOTA, parseWorkloadSpec } from "@mpc/domain";
import type { NamespaceIntent, WorkloadIntent } from "@mpc/services";

const anEnvironmentIntent = (overrides: Partial<NamespaceIntent> = {}): NamespaceIntent => ({
  environment: "dev",
  uid: "01a20d69-24f4-720e-b601-ca6803dee4ba",
  cluster: "default",
  labels: {},
  quota: NO_QUOTA,
  ...overrides,
});

export const ENVIRONMENT_INTENTS: Readonly<Record<string, NamespaceIntent>> = {
  "environment": anEnvironmentIntent(),
  "environment_with_quota": anEnvironmentIntent({
    labels: { team: "web" },
    quota: { workloads: 10, cpu: "4", memory: "8Gi" },
  }),
};

/** An intent whose spec is validated and filled in like that of a deployment. */
export const aWorkloadIntent = (
  spec: unknown,
  overrides: Partial<WorkloadIntent> = {},
): WorkloadIntent => ({
  environment: "dev",
  workload: "web",
  uid: "01a20d69-9d7e-7a51-8f43-1f0e6f3b7a10",
  labels: {},
  spec: parseWorkloadSpec("deploy workload", spec),
  revision: 1,
  restartToken: "",
  ...overrides,
});

const image = "registry.example.com/shop/web:1.27";

export const WORKLOAD_INTENTS: Readonly<Record<string, WorkloadIntent>> = {
  "workload": aWorkloadIntent({ image }),
  "workload_with_ports": aWorkloadIntent({
    image,
    replicas: 3,
    ports: [{ name: "http", port: 80 }, { port: 9_090 }, {
      name: "dns",
      port: 53,
      protocol: "UDP",
    }],
    resources: { cpu: "250m", memory: "256Mi" },
  }, { labels: { team: "web" }, revision: 7, restartToken: "01a20d69-restarted" }),
  "workload_with_checks": aWorkloadIntent({
    image,
    ports: [{ port: 8_080 }],
    healthCheck: { path: "/ready", port: 8_080, periodMs: 1_500 },
    livenessCheck: { path: "/live", port: 8_080 },
    progressDeadlineMs: 90_000,
    command: ["/bin/web"],
    args: ["--listen", ":8080", '$(NAME) "quoted" {{ braces }}'],
  }),
  "workload_with_variables": aWorkloadIntent({
    image,
    env: { ZONE: "eu", PASSWORD: "hunter2 & <é>\n", EMPTY: "", A1: "$(ZONE)" },
    envFrom: [
      { config: "settings" },
      { secret: "keys" },
      { variable: "TOKEN", secret: "keys", key: "api.token" },
      { variable: "level", config: "settings" },
    ],
  }),
  "workload_with_volumes": aWorkloadIntent({
    image,
    replicas: 2,
    volumes: [
      { name: "cache", path: "/var/cache/web", scratch: { size: "512Mi" } },
      { name: "memory", path: "/tmp", scratch: { inMemory: true } },
      {
        name: "data",
        path: "/var/lib/web",
        storage: { size: "10Gi", storageClass: "fast", shared: true },
      },
      { name: "tls", path: "/etc/tls", secret: "web-tls" },
      { name: "settings", path: "/etc/web", config: "settings" },
    ],
  }),
  "workload_with_storage": aWorkloadIntent({
    image,
    volumes: [{ name: "data", path: "/var/lib/web", storage: { size: "1Gi" } }],
  }),
  "workload_with_ingress": aWorkloadIntent({
    image,
    ports: [{ name: "dns", port: 53, protocol: "UDP" }, { name: "http", port: 8_080 }],
    ingress: {
      host: "web.example.com",
      path: "/shop",
      tlsSecret: "web-tls",
      ingressClass: "nginx",
    },
  }),
  "workload_with_plain_ingress": aWorkloadIntent({
    image,
    ports: [{ name: "http", port: 8_080 }],
    ingress: { host: "*.example.com" },
  }),
  "workload_with_scaling": aWorkloadIntent({
    image,
    resources: { cpu: "500m" },
    autoscaling: { minReplicas: 2, maxReplicas: 10, targetCpuPercent: 70 },
    disruptionBudget: { maxUnavailable: 1 },
  }),
  "workload_stopped": aWorkloadIntent({ image, replicas: 0, resources: { memory: "64Mi" } }),
};
