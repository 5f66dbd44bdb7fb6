import { join } from "node:path";
import { withContainers } from "./containers.ts";
import { goTool } from "./go_tool.ts";
import { kindNodeImage } from "./kind_node_image.ts";
import { kubectlOf } from "./kubectl.ts";
import { requirePrograms, requireRoot } from "./requirements.ts";
import { testImages } from "./test_images.ts";

/** A real cluster of one node, in a container of podman, with the images of tests on it. */
export interface KindCluster {
  /** Path of a kubeconfig that may do everything. */
  readonly kubeconfig: string;
  /** Runs a command on the node. @returns what it printed */
  onNode(...command: string[]): Promise<string>;
  /** Deletes it. */
  stop(): Promise<void>;
}

const WHAT = "a real cluster";

/**
 * How nodes are lost is seen sooner than by default (40 s), so that tests need not wait for it.
 * The node's container may have no cgroup v2.
 */
const CONFIG = JSON.stringify({
  kind: "Cluster",
  apiVersion: "kind.x-k8s.io/v1alpha4",
  networking: { disableDefaultCNI: true, podSubnet: "10.244.0.0/16" },
  nodes: [{ role: "control-plane" }],
  kubeadmConfigPatches: [
    JSON.stringify({ kind: "KubeletConfiguration", failCgroupV1: false }),
    JSON.stringify({
      kind: "ClusterConfiguration",
      controllerManager: { extraArgs: { "node-monitor-grace-period": "16s" } },
    }),
  ],
});

/**
 * Creates a cluster under a name of its own, and waits until its node and its DNS are ready.
 * @throws {Error} when a part cannot be had or the cluster does not come up, with what kind said
 */
export async function startKindCluster(folder: string): Promise<KindCluster> {
  requireRoot(WHAT, "because it makes the node's file system and its network");
  await requirePrograms(WHAT, ["go", "podman", "buildah", "debootstrap", "iptables", "busybox"]);
  const [kind, image, images] = [await goTool("kind"), await kindNodeImage(), await testImages()];
  const name = `mpc-test-${crypto.randomUUID().slice(0, 8)}`;
  const kubeconfig = join(folder, "kubeconfig");
  const config = join(folder, "kind.yaml");
  await Deno.writeTextFile(config, CONFIG);
  // kind mounts it into its nodes; a machine without modules may not have it.
  await Deno.mkdir("/lib/modules", { recursive: true });
  const stop = async () => {
    await withContainers(kind, ["delete", "cluster", "--name", name]);
  };
  try {
    await withContainers(kind, [
      ...["create", "cluster", "--name", name, "--image", image, "--config", config],
      ...["--kubeconfig", kubeconfig, "--wait", "120s"],
    ]);
    await withContainers(kind, ["load", "image-archive", images, "--name", name]);
    const kubectl = await kubectlOf(kubeconfig);
    const dns = ["deployment/coredns", "-n", "kube-system"];
    await kubectl(["rollout", "status", ...dns, "--timeout=120s"]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kubeconfig,
    stop,
    onNode: (...command) => withContainers("podman", ["exec", `${name}-control-plane`, ...command]),
  };
}
