import { systemClock } from "@mpc/process";
import { HttpKubeClient, KubernetesProvider } from "../../worker/providers/kubernetes/mod.ts";
import { kubectlOf } from "../servers/kubectl.ts";
import type { ProviderHarness } from "./provider_case.ts";

/** A cluster that is kept from case to case: each begins and ends with nothing of ours on it. */
export async function openKubernetesHarness(kubeconfig: string): Promise<ProviderHarness> {
  const clock = systemClock;
  const access = { cluster: "test", kubeconfig, context: null };
  const provider = new KubernetesProvider({
    client: new HttpKubeClient({ access, clock }),
    clock,
    charts: null,
  });
  const kubectl = await kubectlOf(kubeconfig);
  return {
    provider,
    // Its time is ours; what takes long is waited for.
    advance: () => Promise.resolve(),
    async close() {
      await provider.close();
      // A namespace with pods takes the controllers ten seconds.
      const now = ["--ignore-not-found", "--cascade=foreground", "--grace-period=0", "--force"];
      const [ours, all] = ["app.kubernetes.io/managed-by=mpc", "--all-namespaces"];
      await kubectl(["delete", "deployments", all, "-l", ours, ...now]);
      await kubectl(["delete", "pods", all, "-l", ours, ...now]);
      await kubectl(["delete", "namespaces", "-l", ours, "--ignore-not-found"]);
    },
  };
}
