import { basename, join } from "node:path";
import { withContainers } from "./containers.ts";
import { eventually } from "./eventually.ts";
import { goTool } from "./go_tool.ts";
import { kindNodeImage } from "./kind_node_image.ts";
import { kubectlOf } from "./kubectl.ts";
import { requirePrograms, requireRoot } from "./requirements.ts";
import { testImages } from "./test_images.ts";

/** A real cluster of one node, in a container of podman, with the images of tests on it. */
export interface KindCluster {
  /** Path of a kubeconfig with all permissions. */
  readonly kubeconfig: string;
  /**
   * Whether its network enforces NetworkPolicies: false, because its plugin (`ptp`, of
   * containernetworking-plugins) gives pods addresses and routes, and ignores policies.
   */
  readonly enforcesPolicies: boolean;
  /** Stops the API server like a crash, and keeps it down; etcd and the node continue. */
  interruptApiServer(): Promise<void>;
  /** Lets the API server start again, and waits until it answers. */
  resumeApiServer(): Promise<void>;
  /** Stops the node's kubelet; the cluster considers the node lost after some seconds. */
  loseNode(): Promise<void>;
  /** Starts the kubelet again, and waits until the node is ready. */
  findNode(): Promise<void>;
  /** Deletes it. */
  stop(): Promise<void>;
}

const API_SERVER = "/etc/kubernetes/manifests/kube-apiserver.yaml";

const WHAT = "a real cluster";

/**
 * A lost node is noticed sooner than by default (40 s), so that tests need not wait for it. The
 * node's container may have no cgroup v2.
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
 * Creates a cluster with a unique name, and waits until its node and its DNS are ready.
 * @throws {Error} if a part is missing or the cluster does not start, with kind's output
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
  const kubectl = await kubectlOf(kubeconfig);
  const onNode = (command: string) =>
    withContainers("podman", ["exec", `${name}-control-plane`, "sh", "-c", command]);
  return {
    kubeconfig,
    enforcesPolicies: false,
    stop,
    async interruptApiServer() {
      // A kubelet runs exactly the pods that have a manifest.
      await onNode(`mv ${API_SERVER} /kind/ && pkill --signal KILL --full ^kube-apiserver`);
    },
    async resumeApiServer() {
      await onNode(`mv /kind/${basename(API_SERVER)} ${API_SERVER}`);
      await eventually("the API server answers", () => kubectl(["get", "--raw", "/readyz"]));
    },
    async loseNode() {
      await onNode("systemctl stop kubelet");
    },
    async findNode() {
      await onNode("systemctl start kubelet");
      await kubectl(["wait", "node", "--all", "--for=condition=Ready", "--timeout=120s"]);
    },
  };
}
