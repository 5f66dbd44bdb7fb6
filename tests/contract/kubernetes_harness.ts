import { systemClock } from "@mpc/process";
import { HttpKubeClient, KubernetesProvider } from "../../worker/providers/kubernetes/mod.ts";
import { kubectlOf } from "../servers/kubectl.ts";
import type { ProviderHarness } from "./provider_case.ts";

/** Cases share one cluster; each case begins and ends without objects of ours. */
export async function openKubernetesHarness(kubeconfig: string): Promise<ProviderHarness> {
  const clock = systemClock;
  const access = { cluster: "test", kubeconfig, context: null };
  const provider = new KubernetesProvider({
    client: new HttpKubeClient({ access, clock }),
    clock,
    installation: "test",
    charts: null,
  });
  const kubectl = await kubectlOf(kubeconfig);
  return {
    provider,
    // The cluster runs in real time, so cases simply wait.
    advance: () => Promise.resolve(),
    async close() {
      await provider.close();
      // The controllers need ten seconds to delete a namespace with pods.
      const now = ["--ignore-not-found", "--cascade=foreground", "--grace-period=0", "--force"];
      const [ours, all] = ["app.kubernetes.io/managed-by=mpc", "--all-namespaces"];
      await kubectl(["delete", "deployments", all, "-l", ours, ...now]);
      await kubectl(["delete", "pods", all, "-l", ours, ...now]);
      await kubectl(["delete", "namespaces", "-l", ours, "--ignore-not-found"]);
    },
  };
}
