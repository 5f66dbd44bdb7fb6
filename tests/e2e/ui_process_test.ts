/** `deno task ui`: the dashboard as a process of its own, with the permissions of its task. */
import assert from "node:assert/strict";
import { freePort } from "@mpc/process";
import { startPlatform } from "../servers/platform_process.ts";
import { startUi } from "../servers/ui_process.ts";

async function textOf(url: URL): Promise<readonly [status: number, text: string]> {
  const response = await fetch(url, { headers: { accept: "text/html" } });
  return [response.status, await response.text()];
}

Deno.test({
  name: "deno task ui shows the API of another process, and stops with pages open",
  // Fetch keeps connections in its own pool.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const platform = await startPlatform(["--ephemeral"]);
    const { process, pages } = await startUi(`--server=${platform.web.origin}`);
    assert.equal((await textOf(new URL("/readyz", pages)))[0], 200);
    const [status, html] = await textOf(new URL("/environments", pages));
    assert.equal(status, 200);
    assert.match(html, /There are no environments yet/);
    const live = await fetch(new URL("/ui/live?watch=*", pages));
    const reader = live.body!.getReader();
    assert.match(new TextDecoder().decode((await reader.read()).value), /retry/);
    const call = await fetch(new URL("/mpc.v1.EnvironmentService/ListEnvironments", pages), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    assert.equal(call.status, 404, "it is no way around the API");
    await call.body?.cancel();
    process.kill("SIGTERM");
    while (!(await reader.read().catch(() => ({ done: true }))).done);
    assert.equal((await process.status).code, 0);
    await platform.stop();
  },
});

Deno.test({
  name: "deno task ui says that its API is away, on every page and at /readyz",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const { process, pages } = await startUi(`--server=http://127.0.0.1:${await freePort()}`);
    const [ready, checks] = await textOf(new URL("/readyz", pages));
    assert.equal(ready, 503);
    assert.match(checks, /"name":"api"/);
    const [status, html] = await textOf(new URL("/environments", pages));
    assert.equal(status, 503);
    assert.match(html, /The server cannot answer now/);
    process.kill("SIGTERM");
    assert.equal((await process.status).code, 0);
  },
});
