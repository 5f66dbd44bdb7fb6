import { NO_QUOTA } from "@mpc/domain";
import { systemClock } from "@mpc/process";
import type { WorkloadIntent } from "@mpc/services";
import { HttpKubeClient, KubernetesProvider } from "../../worker/providers/kubernetes/mod.ts";
import { aSpec } from "../fakes/documents.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import type { KubeApiServer } from "../servers/kube_api_server.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";

/** A real control plane, a provider for it, and kubectl as another client. */
export interface ProviderWorld {
  readonly server: KubeApiServer;
  readonly provider: KubernetesProvider;
  readonly kubectl: Kubectl;
  /** Opens a provider with another kubeconfig. */
  providerBy(kubeconfig: string, context?: string): KubernetesProvider;
}

/** Starts a control plane for a test file. @returns a function that registers a test on it */
export function providerSuite(): (
  name: string,
  use: (world: ProviderWorld) => Promise<void>,
  options?: Pick<Deno.TestDefinition, "sanitizeOps" | "sanitizeResources">,
) => void {
  let folder: string;
  let server: KubeApiServer;
  Deno.test.beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "mpc-provider-" });
    server = await startKwokCluster(folder, 2);
  });
  Deno.test.afterAll(async () => {
    await server?.stop();
    await Deno.remove(folder, { recursive: true });
  });
  return (name, use, options = {}) =>
    Deno.test({
      ...options,
      name,
      async fn() {
        const providers: KubernetesProvider[] = [];
        const providerBy = (kubeconfig: string, context: string | null = null) => {
          const access = { cluster: "test", kubeconfig, context };
          const client = new HttpKubeClient({ access, clock: systemClock });
          const provider = new KubernetesProvider({
            client,
            clock: systemClock,
            installation: "test",
            charts: null,
          });
          providers.push(provider);
          return provider;
        };
        const provider = providerBy(server.kubeconfig);
        const kubectl = await kubectlOf(server.kubeconfig);
        try {
          await use({ server, provider, kubectl, providerBy });
        } finally {
          await Promise.all(providers.map((provider) => provider.close()));
        }
      },
    });
}

/** Creates the environment of one test. */
export async function anEnvironment(
  { provider }: Pick<ProviderWorld, "provider">,
  environment: string,
): Promise<void> {
  const intent = {
    environment,
    uid: `uid-${environment}`,
    cluster: "test",
    labels: {},
    quota: NO_QUOTA,
  };
  await provider.applyNamespace(intent, live());
  await provider.applyPolicies(intent, live());
}

export function web(
  environment: string,
  spec: Parameters<typeof aSpec>[0] = {},
  more: Partial<WorkloadIntent> = {},
): WorkloadIntent {
  return {
    environment,
    workload: "web",
    uid: `uid-${environment}-web`,
    labels: {},
    spec: aSpec({ ports: [{ name: "http", port: 8080, protocol: "TCP" }], ...spec }),
    revision: 1,
    restartToken: "",
    ...more,
  };
}

/** Longer than any call in these tests takes. */
export const live = () => ({ signal: AbortSignal.timeout(60_000) });
