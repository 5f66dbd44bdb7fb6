/** Generates the TypeScript of Connect's conformance protos, which are in the suite's Go module. */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buf } from "../../../proto/buf.ts";
import { goModule } from "../go_tool.ts";

const FOLDER = "connectrpc/conformance/v1";
const BUF_YAML = "version: v2\nmodules:\n  - path: .\n";

if (import.meta.main) {
  const here = import.meta.dirname!;
  const workspace = await mkdtemp(join(tmpdir(), "mpc-conformance-"));
  try {
    await mkdir(join(workspace, FOLDER), { recursive: true });
    for (const name of ["config", "server_compat", "service"]) {
      const file = join(FOLDER, `${name}.proto`);
      await writeFile(
        join(workspace, file),
        await Deno.readTextFile(join(await goModule("connectconformance"), "proto", file)),
      );
    }
    await writeFile(join(workspace, "buf.yaml"), BUF_YAML);
    await cp(join(here, "../../../proto/buf.gen.yaml"), join(workspace, "buf.gen.yaml"));
    const { code, output } = await buf(workspace, ["generate"]);
    if (code !== 0) throw new Error(`Cannot generate code from the protos: buf says ${output}`);
    await rm(join(here, "gen"), { recursive: true, force: true });
    await cp(join(workspace, "gen", FOLDER), join(here, "gen"), { recursive: true });
  } finally {
    await rm(workspace, { recursive: true });
  }
}
