import { createHash } from "node:crypto";
import { withContainers } from "./containers.ts";
import { goModule, goTool, type GoToolName, goToolVersion } from "./go_tool.ts";

const SCRIPT = new URL("./kind_node_image.sh", import.meta.url).pathname;

const TOOLS: readonly GoToolName[] = [
  "kubeadm",
  "kubelet",
  "kubectl",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "etcd",
  "coredns",
];

/**
 * The name of the image of kind's nodes. It is built if it does not exist, which takes minutes, and
 * again if its sources change.
 * @throws {Error} if it cannot be built, with the build's output
 */
export async function kindNodeImage(): Promise<string> {
  const version = goToolVersion("kubelet");
  const parts = createHash("sha256").update(await Deno.readTextFile(SCRIPT));
  for (const name of [...TOOLS, "kind"] as const) parts.update(`${name} ${goToolVersion(name)}`);
  const image = `localhost/mpc-kind-node:${version}-${parts.digest("hex").slice(0, 12)}`;
  const known = await withContainers("podman", ["images", "--format", "{{.Repository}}:{{.Tag}}"]);
  if (known.split("\n").includes(image)) return image;
  const bin = await Deno.makeTempDir({ prefix: "mpc-kind-tools-" });
  try {
    for (const name of TOOLS) await Deno.copyFile(await goTool(name), `${bin}/${name}`);
    const files = `${await goModule("kind")}/images/base/files`;
    await withContainers(SCRIPT, [bin, files, version, image]);
    return image;
  } finally {
    await Deno.remove(bin, { recursive: true });
  }
}

if (import.meta.main) console.log(await kindNodeImage());
