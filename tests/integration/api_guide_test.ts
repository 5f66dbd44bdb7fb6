/** The instructions of the API guide for programs. */
import assert from "node:assert/strict";
import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { goTool } from "../servers/go_tool.ts";
import { testMpctl } from "../e2e/mpctl_world.ts";
import { runCommand } from "../servers/run_command.ts";

const ROOT = new URL("../../", import.meta.url);
const guide = await readFile(new URL("docs/api-guide.md", ROOT), "utf8");
const example = await readFile(new URL("examples/client.ts", ROOT), "utf8");

/** The code block of the API guide that begins with a text. */
function block(language: string, start: string): string {
  const blocks = guide.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, "g"));
  const found = [...blocks].map(([, code = ""]) => code).find((code) => code.startsWith(start));
  assert.ok(found, `the API guide has a block that begins with '${start}'`);
  return found;
}

testMpctl("the API guide's examples for programs", [
  ["the TypeScript client is examples/client.ts, and works", async ({ web }) => {
    assert.equal(block("ts", "import"), example);
    const script = new URL("examples/client.ts", ROOT).pathname;
    const command = [Deno.execPath(), "run", "--allow-net", "--no-prompt", script, web];
    const { code, out, err } = await runCommand(command, { env: { NO_COLOR: "1" } });
    assert.equal(code, 0, err);
    assert.match(out, /^environments\/preview SUCCEEDED\nEXISTING environments\/preview\n$/);
  }],
  ["grpcurl's commands work", async ({ grpc, directory }) => {
    await symlink(await goTool("grpcurl"), join(directory, "grpcurl"));
    const address = grpc.replace("grpc://", "");
    const script = `set -e\n${block("sh", "grpcurl").replaceAll("127.0.0.1:50051", address)}`;
    const env = { PATH: `${directory}:${Deno.env.get("PATH")}` };
    const { code, out, err } = await runCommand(["bash", "-c", script], { env });
    assert.equal(code, 0, err);
    for (const said of ["mpc.v1.WorkloadService", "rpc CreateEnvironment", "environments/shop"]) {
      assert.ok(out.includes(said), `it says '${said}'`);
    }
    assert.match(out, /"status": "SERVING"/);
  }],
  ["and so does curl, by POST and by GET", async ({ web }) => {
    for (const start of ["curl -s -H", "curl -s -G"]) {
      const command = block("sh", start).replace("http://127.0.0.1:8080", web);
      const { code, out } = await runCommand(["bash", "-c", command]);
      assert.equal(code, 0);
      assert.equal(JSON.parse(out).environments?.length, 2, `${start}: ${out}`);
    }
  }],
], { platformArgs: ["--simulated-delays=none"] });
