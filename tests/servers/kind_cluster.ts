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
  /** Path of a kubeconfig that may do everything. */
  readonly kubeconfig: string;
  /**
   * Whether its network enforces NetworkPolicies: false, as its plugin (`ptp`, of
   * containernetworking-plugins) gives pods addresses and routes, and reads no policies.
   */
  readonly enforcesPolicies: boolean;
  /** Ends the API server as a crash would, and keeps it down; etcd and the node go on. */
  interruptApiServer(): Promise<void>;
  /** Lets it come back, and waits until it answers. */
  resumeApiServer(): Promise<void>;
  /** Ends the node's kubelet; the cluster takes the node for lost after some seconds. */
  loseNode(): Promise<void>;
  /** Starts it again, and waits until the node is ready. */
  findNode(): Promise<void>;
  /** Deletes it. */
  stop(): Promise<void>;
}

const API_SERVER = "/etc/kubernetes/manifests/kube-apiserver.yaml";

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
  const kubectl = await kubectlOf(kubeconfig);
  const onNode = (command: string) =>
    withContainers("podman", ["exec", `${name}-control-plane`, "sh", "-c", command]);
  return {
    kubeconfig,
    enforcesPolicies: false,
    stop,
    async interruptApiServer() {
      // A kubelet keeps what has a manifest, and nothing else.
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
