/** Runs buf on the protos, in a workspace that also holds the files of Google's that are served or imported. */
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { getProtoPath } from "google-proto-files";

const here = import.meta.dirname!;
const GOOGLE_FILES = [
  "api/annotations.proto",
  "api/client.proto",
  "api/field_behavior.proto",
  "api/field_info.proto",
  "api/http.proto",
  "api/launch_stage.proto",
  "api/resource.proto",
  "longrunning/operations.proto",
  "rpc/error_details.proto",
  "rpc/status.proto",
];

/** Copies the protos into a new directory; the caller removes it. */
export async function protoWorkspace(): Promise<string> {
  const workspace = await mkdtemp(join(tmpdir(), "mpc-proto-"));
  for (const entry of ["mpc", "grpc", "buf.yaml", "buf.gen.yaml"]) {
    await cp(join(here, entry), join(workspace, entry), { recursive: true });
  }
  for (const file of GOOGLE_FILES) {
    await cp(getProtoPath(...file.split("/")), join(workspace, "google", file));
  }
  return workspace;
}

/**
 * Runs `buf` with the given arguments in `workspace`.
 * @returns buf's exit code and its output
 */
export async function buf(
  workspace: string,
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  const result = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "npm:@bufbuild/buf@1.74.0/buf", ...args],
    cwd: workspace,
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  return { code: result.code, output: text.decode(result.stdout) + text.decode(result.stderr) };
}

/** The descriptors of the protos and of all that they import, with their comments. */
export async function describeProtos(): Promise<FileDescriptorSet> {
  const workspace = await protoWorkspace();
  try {
    const image = join(workspace, "image.binpb");
    const { code, output } = await buf(workspace, ["build", "-o", image]);
    if (code !== 0) throw new Error(`Cannot build the protos: buf says ${output}`);
    return fromBinary(FileDescriptorSetSchema, await readFile(image));
  } finally {
    await rm(workspace, { recursive: true });
  }
}

/**
 * Generates the TypeScript of the protos.
 * @returns its directory, inside a workspace that the caller removes
 */
export async function generate(workspace: string): Promise<string> {
  const { code, output } = await buf(workspace, ["generate"]);
  if (code !== 0) throw new Error(`Cannot generate code from the protos: buf says ${output}`);
  return join(workspace, "gen");
}

if (import.meta.main) {
  const workspace = await protoWorkspace();
  try {
    const generated = await generate(workspace);
    await rm(join(here, "gen"), { recursive: true, force: true });
    await cp(generated, join(here, "gen"), { recursive: true });
  } finally {
    await rm(workspace, { recursive: true });
  }
}
