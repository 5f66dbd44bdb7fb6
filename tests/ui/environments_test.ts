import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { EnvironmentState, ListEnvironmentsResponseSchema } from "@mpc/proto";
import { away, failing, uiTest } from "./ui_world.ts";

uiTest("the environments page says how to create the first one", async (world) => {
  const { status, text } = await world.page("/environments");
  assert.equal(status, 200);
  assert.match(text, /There are no environments yet/);
  assert.match(text, /mpctl env create dev/);
});

uiTest("the environments page shows state, workloads, labels and expiry", async (world) => {
  await world.createEnvironment("dev", { labels: { team: "web" } });
  await world.deploy("dev", "web");
  await world.deploy("dev", "broken", { image: "nginx:missing" });
  const { document } = await world.page("/environments");
  const row = document.getElementById("environments/dev")!;
  const text = row.textContent!.replace(/\s+/g, " ");
  assert.match(text, /Ready/);
  assert.match(text, /2, deploy failed/);
  assert.match(text, /team=web/);
  assert.match(text, /never/);
  assert.equal(row.querySelector("a")!.getAttribute("href"), "/environments/dev");
});

uiTest("the environments page searches by parts of names and by labels", async (world) => {
  await world.createEnvironment("dev", { labels: { "example.com/team": "web" } });
  await world.createEnvironment("staging");
  const shown = async (query: string) =>
    [...(await world.page(`/environments?${query}`)).document.querySelectorAll("tbody tr")]
      .map(({ id }) => id);
  assert.deepEqual(await shown("q=stag"), ["environments/staging"]);
  assert.deepEqual(await shown("q=example.com/team=web"), ["environments/dev"]);
  assert.deepEqual(await shown("q=example.com/team="), ["environments/dev"]);
  assert.deepEqual(await shown("show=failed"), []);
  assert.deepEqual(await shown("sort=newest"), ["environments/staging", "environments/dev"]);
  const { text } = await world.page("/environments?q=%22%5C");
  assert.match(text, /No environment matches/, "quotes in a search are text");
});

uiTest("the environments page pages through thousands", async (world) => {
  const names = Array.from({ length: 120 }, (_, index) => `environments/e${1_000 + index}`);
  world.answer = ({ name }) =>
    name !== "ListEnvironments" ? undefined : create(ListEnvironmentsResponseSchema, {
      environments: names.map((name) => ({ name, state: EnvironmentState.READY })),
      nextPageToken: "more&more",
    });
  const { document } = await world.page("/environments?q=e");
  assert.equal(document.querySelectorAll("tbody tr").length, 120);
  const next = document.querySelector("a[rel=next]")!.getAttribute("href")!;
  const query = new URL(next, "http://localhost").searchParams;
  assert.deepEqual([query.get("page"), query.get("q")], ["more&more", "e"]);
});

uiTest("the environments page shows hostile labels as text", async (world) => {
  const value = "<script>alert(1)</script>\u202e\u0007";
  world.answer = ({ name }) =>
    name !== "ListEnvironments" ? undefined : create(ListEnvironmentsResponseSchema, {
      environments: [{ name: "environments/dev", labels: { [value]: "x".repeat(100_000) } }],
    });
  const { document, html } = await world.page("/environments");
  assert.equal(document.querySelectorAll("script:not([src])").length, 0);
  assert.match(
    document.getElementById("main")!.textContent!,
    /<script>alert\(1\)<\/script>\\u202e\\u0007/,
  );
  assert.ok(html.length < 30_000, "a text of 100 kB is cut");
});

uiTest(
  "the environments page tells an API that is away from a permission that is missing",
  async (world) => {
    world.answer = failing(away());
    const gone = await world.page("/environments");
    assert.equal(gone.status, 503);
    assert.match(gone.text, /The server cannot answer now/);
    assert.ok(gone.document.body.hasAttribute("data-refresh"), "it is loaded again");
    world.answer = failing(new ConnectError("environments.list is missing", Code.PermissionDenied));
    const denied = await world.page("/environments");
    assert.equal(denied.status, 403);
    assert.match(denied.text, /You may not see this/);
    world.answer = failing(new ConnectError("who are you", Code.Unauthenticated));
    const unknown = await world.request("/environments?q=x", { headers: { accept: "text/html" } });
    assert.equal(unknown.status, 303);
    assert.equal(unknown.headers.get("location"), "/ui/sign-in?back=%2Fenvironments%3Fq%3Dx");
  },
);
