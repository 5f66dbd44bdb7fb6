/** The pages of operations, of the audit and of the platform's status, and signing in. */
import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  DiagnoseResponseSchema,
  ExplainOperationResponseSchema,
  ListOperationsResponseSchema,
  OperationSchema,
  OperationState,
  StepState,
} from "@mpc/proto";
import { away, failing, uiTest } from "./ui_world.ts";

const ID = "0b0a1f3e-7f6e-4a7e-9d53-0c8f2f1f0a01";
const NAME = `operations/${ID}`;
const NOW = Date.UTC(2030, 0, 1);
const at = (seconds: number) => timestampFromMs(NOW + seconds * 1_000);

const denied = () => new ConnectError("Cannot read: permission missing", Code.PermissionDenied);

uiTest("the list of operations says how to begin, and what does not match", async (world) => {
  assert.match((await world.page("/operations")).text, /Nothing has been changed yet/);
  await world.createEnvironment("dev");
  assert.match((await world.page("/operations?q=nothing")).text, /No operation matches/);
});

uiTest("operations are found by state, target and who requested them", async (world) => {
  await world.createEnvironment("dev");
  await world.deploy("dev", "broken", { image: "nginx:missing" });
  const kinds = async (query: string) => {
    const { document } = await world.page(`/operations${query}`);
    return [...document.querySelectorAll("tbody tr td:nth-child(2)")].map((it) => it.textContent);
  };
  assert.deepEqual(await kinds(""), ["workload.deploy", "environment.create"]);
  assert.deepEqual(await kinds("?filter=failed"), ["workload.deploy"]);
  assert.deepEqual(await kinds("?q=broken"), ["workload.deploy"]);
  assert.deepEqual(await kinds("?by=local"), ["workload.deploy", "environment.create"]);
  assert.deepEqual(await kinds("?by=nobody"), []);
  assert.deepEqual(await kinds("?target=environments%2Fdev"), [
    "workload.deploy",
    "environment.create",
  ]);
});

uiTest("thousands of operations are paged, and stalled ones come first", async (world) => {
  const operations = Array.from({ length: 50 }, (_, index) => ({
    name: `operations/${index}`,
    kind: "environment.create",
    target: `environments/e-${index}`,
    state: OperationState.SUCCEEDED,
  }));
  world.answer = ({ name }, request) => {
    if (name !== "ListOperations") return undefined;
    const { filter = "" } = request as { filter?: string };
    return filter.includes("stalled")
      ? create(ListOperationsResponseSchema, {
        operations: [{ ...operations[7]!, state: OperationState.NEEDS_ATTENTION }],
      })
      : create(ListOperationsResponseSchema, { operations, nextPageToken: "next" });
  };
  const { document } = await world.page("/operations");
  const rows = [...document.querySelectorAll("tbody tr td:first-child")];
  assert.deepEqual(rows.map((it) => it.textContent).slice(0, 2), ["Needs attention", "Succeeded"]);
  assert.equal(document.querySelector(".pager a")?.getAttribute("href"), "/operations?page=next");
});

uiTest(
  "an operation shows its steps, why it failed, and the command that leads on",
  async (world) => {
    await world.createEnvironment("dev");
    const { name } = await world.deploy("dev", "broken", { image: "nginx:missing" });
    const { text, document } = await world.page(`/${name}`);
    assert.match(document.title, /^✕ workload\.deploy dev\/broken/);
    assert.match(text, /Failed/);
    assert.match(text, /IMAGE_PULL_FAILED/);
    assert.match(text, /must act/);
    assert.ok(document.querySelector("#main .command [data-copy]"));
    assert.ok(document.querySelectorAll(".waterfall-row svg rect").length > 3);
    assert.equal(document.querySelectorAll("#steps tbody tr").length > 2, true);
  },
);

uiTest(
  "hundreds of attempts, of which records keep few, are counted, and the deadline is told",
  async (world) => {
    const numbers = [1, ...Array.from({ length: 20 }, (_, index) => 481 + index)];
    const attempts = numbers.map((number) => ({
      number,
      startTime: at(number - 1),
      endTime: at(number - 0.5),
      error: { code: "UNAVAILABLE", reason: "CLUSTER_UNREACHABLE", message: `try ${number}` },
    }));
    world.now = () => NOW + 600_000;
    world.answer = ({ name }) =>
      name === "GetOperation"
        ? create(OperationSchema, {
          name: NAME,
          kind: "workload.deploy",
          target: "environments/dev/workloads/web",
          state: OperationState.RUNNING,
          createTime: at(0),
          startTime: at(0),
          deadline: at(900),
          steps: [{ name: "apply_workload", state: StepState.RUNNING, startTime: at(0), attempts }],
        })
        : name === "ExplainOperation"
        ? create(ExplainOperationResponseSchema, { summary: "It waits.", responsible: "nobody" })
        : undefined;
    const { text, document, html } = await world.page(`/${NAME}`);
    assert.match(text, /500 attempts of apply_workload/);
    assert.match(text, /479 in between are not shown/);
    assert.match(text, /try 500/);
    assert.match(text, /Ends in 5m at the latest/);
    assert.equal(document.querySelectorAll("#attempts-apply_workload tbody tr").length, 21);
    assert.ok(html.length < 200_000, `${html.length} characters`);
  },
);

uiTest("texts of others stay texts on the page of an operation", async (world) => {
  const hostile = `<img src=x onerror=alert(1)>\u202e\u0000${"x".repeat(5_000)}`;
  world.answer = ({ name }) =>
    name === "GetOperation"
      ? create(OperationSchema, {
        name: NAME,
        kind: "workload.deploy",
        target: "environments/dev",
        actor: hostile,
        state: OperationState.FAILED,
        done: true,
        createTime: at(0),
        residue: [{ object: hostile, reason: hostile, remedy: "kubectl delete x" }],
        steps: [{ name: hostile, state: StepState.FAILED, progress: hostile }],
      })
      : name === "ExplainOperation"
      ? create(ExplainOperationResponseSchema, { summary: hostile })
      : undefined;
  const { document, status } = await world.page(`/${NAME}`);
  assert.equal(status, 200);
  assert.equal(document.querySelectorAll("#main img").length, 0);
});

uiTest("an operation that is missing, forbidden or out of reach says so", async (world) => {
  assert.equal((await world.page(`/${NAME}`)).status, 404);
  world.answer = failing(denied(), "GetOperation");
  const forbidden = await world.page(`/${NAME}`);
  assert.equal(forbidden.status, 403);
  assert.match(forbidden.text, /You may not see this/);
  world.answer = failing(away());
  for (const path of [`/${NAME}`, "/operations", "/audit", "/status"]) {
    assert.equal((await world.page(path)).status, 503, path);
  }
});

uiTest("the status page shows what the platform runs on, and what doctor finds", async (world) => {
  await world.createEnvironment("dev");
  const well = await world.page("/status");
  assert.match(well.text, /Engineembedded/);
  assert.match(well.text, /EnvironmentService\/CreateEnvironment1/);
  assert.doesNotMatch(well.document.title, /^✕/);
  world.answer = ({ name }) =>
    name === "Diagnose"
      ? create(DiagnoseResponseSchema, {
        findings: [{
          invariant: "RESOURCE_WITHOUT_OPERATION",
          subject: "environments/dev",
          message: "It waits for an operation that is gone",
          remedy: "mpctl env delete dev",
        }],
      })
      : undefined;
  const broken = await world.page("/status");
  assert.match(broken.document.title, /^✕/);
  assert.match(broken.text, /RESOURCE_WITHOUT_OPERATION/);
  assert.match(broken.text, /mpctl env delete dev/);
  world.answer = failing(denied(), "Diagnose", "GetActivity");
  assert.equal((await world.page("/status")).status, 200, "the rest is shown");
});

uiTest("the audit shows who asked for what, to those who may read it", async (world) => {
  await world.createEnvironment("dev");
  const { text } = await world.page("/audit");
  assert.match(text, /CreateEnvironment/);
  assert.match(text, /local/);
  assert.match((await world.page("/audit?actor=nobody")).text, /No record matches/);
  world.answer = failing(denied(), "ListAuditRecords");
  assert.equal((await world.page("/audit")).status, 403);
});

uiTest(
  "a viewer signs in with a token, which scripts cannot read, and signs out",
  async (world) => {
    const { status, document } = await world.page("/ui/sign-in?back=%2Foperations");
    assert.equal(status, 200);
    assert.equal(
      document.querySelector(".sign-in [name=back]")?.getAttribute("value"),
      "/operations",
    );
    const post = (path: string, fields: Readonly<Record<string, string>>) =>
      world.request(path, { method: "POST", body: new URLSearchParams(fields) });
    const signedIn = await post("/ui/sign-in", { token: "secret-1", back: "/operations" });
    assert.equal(signedIn.headers.get("location"), "/operations");
    const cookie = signedIn.headers.get("set-cookie") ?? "";
    assert.match(cookie, /^mpc_token=secret-1;.*HttpOnly.*SameSite=Lax/);
    const page = await world.page("/", { cookie: "mpc_token=secret-1" });
    assert.doesNotMatch(page.html, /secret-1/);
    assert.match(page.html, /Sign out/);
    for (const token of ["", "two words", "x\u00e9", "x".repeat(20_000)]) {
      const refused = await post("/ui/sign-in", { token, back: "//evil.example" });
      assert.equal(refused.status, 400);
      assert.equal(refused.headers.get("set-cookie"), null);
      await refused.body?.cancel();
    }
    const elsewhere = await post("/ui/sign-in", { token: "t", back: "//evil.example" });
    assert.equal(elsewhere.headers.get("location"), "/");
    const long = await post("/ui/sign-in", { token: "x".repeat(5_000), back: "/" });
    assert.match(await long.text(), /longer than the 3900 characters/);
    world.answer = failing(new ConnectError("who are you?", Code.Unauthenticated));
    const asked = await world.request("/operations");
    assert.equal(asked.headers.get("location"), "/ui/sign-in?back=%2Foperations");
    const again = await world.page("/ui/sign-in", { cookie: "mpc_token=old" });
    assert.match(again.text, /The API does not accept this token/);
    const out = await post("/ui/sign-out", {});
    assert.match(out.headers.get("set-cookie") ?? "", /^mpc_token=;.*Max-Age=0/);
  },
);
