/**
 * Programs for tests, from Go's module proxy. They are built once and kept outside the repository.
 */
import envPaths from "env-paths";

interface GoTool {
  /** The package to build. */
  readonly from: string;
  /** The module that contains it, with its version. */
  readonly module: string;
  readonly version: string;
  /** A file of the module that has its version, and that the module proxy leaves out. */
  readonly versionFile?: string;
  /** Build tags, separated by commas. */
  readonly tags?: string;
}

const KUBERNETES = { module: "k8s.io/kubernetes", version: "v1.34.4" };

/** Without the clients of clouds, whose compilation takes longer than all else. */
const PROMETHEUS = {
  module: "github.com/prometheus/prometheus",
  version: "v0.316.0",
  tags: "remove_all_sd",
};

/** Kubernetes' staging modules are folders in its go.mod; from outside they have versions. */
const KUBERNETES_STAGING = "v0.34.4";

const TOOLS = {
  grpcurl: {
    from: "github.com/fullstorydev/grpcurl/cmd/grpcurl",
    module: "github.com/fullstorydev/grpcurl",
    version: "v1.9.4",
  },
  h2spec: {
    from: "github.com/summerwind/h2spec/cmd/h2spec",
    module: "github.com/summerwind/h2spec",
    version: "v2.2.1+incompatible",
  },
  connectconformance: {
    from: "connectrpc.com/conformance/cmd/connectconformance",
    module: "connectrpc.com/conformance",
    version: "v1.0.7",
  },
  etcd: {
    from: "go.etcd.io/etcd/server/v3",
    module: "go.etcd.io/etcd/server/v3",
    version: "v3.6.5",
  },
  "kube-apiserver": { ...KUBERNETES, from: "k8s.io/kubernetes/cmd/kube-apiserver" },
  kubectl: { ...KUBERNETES, from: "k8s.io/kubernetes/cmd/kubectl" },
  "kube-controller-manager": {
    ...KUBERNETES,
    from: "k8s.io/kubernetes/cmd/kube-controller-manager",
  },
  "kube-scheduler": { ...KUBERNETES, from: "k8s.io/kubernetes/cmd/kube-scheduler" },
  "kube-proxy": { ...KUBERNETES, from: "k8s.io/kubernetes/cmd/kube-proxy" },
  kubelet: { ...KUBERNETES, from: "k8s.io/kubernetes/cmd/kubelet" },
  kubeadm: { ...KUBERNETES, from: "k8s.io/kubernetes/cmd/kubeadm" },
  coredns: {
    from: "github.com/coredns/coredns",
    module: "github.com/coredns/coredns",
    version: "v1.12.4",
  },
  ferretdb: {
    from: "github.com/FerretDB/FerretDB/cmd/ferretdb",
    module: "github.com/FerretDB/FerretDB",
    version: "v1.24.2",
    versionFile: "build/version/version.txt",
  },
  kind: { from: "sigs.k8s.io/kind", module: "sigs.k8s.io/kind", version: "v0.30.0" },
  kwok: { from: "sigs.k8s.io/kwok/cmd/kwok", module: "sigs.k8s.io/kwok", version: "v0.7.0" },
  helm: { from: "helm.sh/helm/v3/cmd/helm", module: "helm.sh/helm/v3", version: "v3.19.0" },
  prometheus: { ...PROMETHEUS, from: "github.com/prometheus/prometheus/cmd/prometheus" },
  promtool: { ...PROMETHEUS, from: "github.com/prometheus/prometheus/cmd/promtool" },
} satisfies Record<string, GoTool>;

/** A program that `goTool` can build. */
export type GoToolName = keyof typeof TOOLS;

/**
 * The path of a program. It is built if it is not in the cache; kube-apiserver takes some minutes.
 * @throws {Error} if there is no Go, or the build fails, with Go's output
 */
export async function goTool(name: GoToolName): Promise<string> {
  const { from, module, version, versionFile, tags = "" }: GoTool = TOOLS[name];
  const folder = `${toolCache()}/go`;
  const path = `${folder}/${name}-${version}`;
  if (await isFile(path)) return path;
  const work = await Deno.makeTempDir({ prefix: `mpc-go-${name}-` });
  try {
    await Deno.mkdir(folder, { recursive: true });
    const replace = module === KUBERNETES.module
      ? await stagingReplacements()
      : versionFile
      ? await withVersionFile({ module, version }, versionFile, `${work}/source`)
      : "";
    await Deno.writeTextFile(
      `${work}/go.mod`,
      `module tool\n\ngo 1.24\n\nrequire ${module} ${version}\n${replace}`,
    );
    await Deno.writeTextFile(
      `${work}/tools.go`,
      `//go:build tools\n\npackage tools\n\nimport _ "${from}"\n`,
    );
    const version_ = `-X k8s.io/component-base/version.gitVersion=${version}`;
    // Built next to its place and renamed, so that an interrupted build leaves nothing.
    const built = `${path}.${Deno.pid}`;
    const flags = ["-trimpath", "-tags", tags, "-ldflags", `-s -w ${version_}`];
    await go(work, ["build", ...flags, "-o", built, from]);
    await Deno.rename(built, path);
    return path;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/**
 * The path of a program of our own, built from a folder with `go.mod` and `main.go`.
 * @throws {Error} if there is no Go, or the build fails, with Go's output
 */
export async function goProgram(source: URL): Promise<string> {
  const files = ["go.mod", "main.go"];
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(new URL(file, source))));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(texts.join("\0")));
  const name = source.pathname.split("/").at(-2);
  const folder = `${toolCache()}/go`;
  const path = `${folder}/${name}-${new Uint8Array(digest).toHex().slice(0, 16)}`;
  if (await isFile(path)) return path;
  const work = await Deno.makeTempDir({ prefix: `mpc-go-${name}-` });
  try {
    await Deno.mkdir(folder, { recursive: true });
    for (const [at, file] of files.entries()) {
      await Deno.writeTextFile(`${work}/${file}`, texts[at]!);
    }
    const built = `${path}.${Deno.pid}`;
    await go(work, ["build", "-trimpath", "-ldflags", "-s -w", "-o", built, "."]);
    await Deno.rename(built, path);
    return path;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** The folder with the source of a program's module; it must not be changed. */
export async function goModule(name: GoToolName): Promise<string> {
  return (await download(TOOLS[name])).Dir;
}

/** The version of a program, from its tag. */
export function goToolVersion(name: GoToolName): string {
  return TOOLS[name].version;
}

/** Where programs that tests build are kept between runs. */
export function toolCache(): string {
  return envPaths("mpc-ci", { suffix: "" }).cache;
}

async function download(
  { module, version }: Pick<GoTool, "module" | "version">,
): Promise<{ readonly Dir: string; readonly GoMod: string }> {
  return JSON.parse(await go(".", ["mod", "download", "-json", `${module}@${version}`]));
}

async function stagingReplacements(): Promise<string> {
  const { GoMod } = await download(KUBERNETES);
  const staged = (await Deno.readTextFile(GoMod)).matchAll(
    /^\s*(k8s\.io\/\S+) => \.\/staging/gm,
  );
  const lines = [...staged].map(([, path]) => `\t${path} => ${path} ${KUBERNETES_STAGING}`);
  return `\nreplace (\n${lines.join("\n")}\n)\n`;
}

/** Copies a module, adds the file with its version, and replaces the module by the copy. */
async function withVersionFile(
  { module, version }: Pick<GoTool, "module" | "version">,
  versionFile: string,
  copy: string,
): Promise<string> {
  const { Dir } = await download({ module, version });
  // Without its mode: modules are read-only.
  const args = ["-r", "--no-preserve=mode", Dir, copy];
  const { success, stderr } = await new Deno.Command("cp", { args }).output();
  if (!success) throw new Error(`cp failed: ${new TextDecoder().decode(stderr)}`);
  await Deno.writeTextFile(`${copy}/${versionFile}`, `${version}\n`);
  return `\nreplace ${module} => ${copy}\n`;
}

async function go(cwd: string, args: string[]): Promise<string> {
  const env = { GOFLAGS: "-mod=mod", CGO_ENABLED: "0" };
  const { success, stdout, stderr } = await new Deno.Command("go", { args, cwd, env }).output();
  if (!success) throw new Error(`go ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Whether a file exists. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) {
  for (const name of Deno.args) {
    if (!(name in TOOLS)) throw new Error(`no such program: ${name}`);
    console.log(await goTool(name as GoToolName));
  }
}
