import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ListPodsResponseSchema } from "@mpc/proto";
import { away, failing, uiTest } from "./ui_world.ts";

const WEB = "/environments/dev/workloads/web";

uiTest(
  "the page of a workload shows its copies, its logs and a difference of revisions",
  async (world) => {
    await world.createEnvironment("dev");
    await world.deploy("dev", "web");
    await world.deploy("dev", "web", { image: "nginx:1.28", env: { TOKEN: "planted-secret" } });
    const { status, text, document, html } = await world.page(WEB);
    assert.equal(status, 200);
    assert.equal(document.querySelectorAll(".replica").length, 2);
    assert.ok(document.querySelectorAll(".log-line").length > 0);
    const changed = [...document.querySelectorAll(".diff .changed")]
      .map(({ textContent }) => textContent!.replace(/\s+/g, " "));
    assert.equal(changed.length, 2);
    assert.match(changed[1]!, /image.*nginx:1\.27.*nginx:1\.28/);
    assert.match(text, /Ready/);
    assert.doesNotMatch(html, /planted-secret/);
  },
);

uiTest("any two revisions of a workload can be compared", async (world) => {
  await world.createEnvironment("dev");
  for (const tag of ["1", "2", "3"]) await world.deploy("dev", "web", { image: `nginx:${tag}` });
  const { document } = await world.page(`${WEB}?from=1&to=3`);
  const [row] = document.querySelectorAll(".diff .changed");
  assert.match(row!.textContent!, /nginx:1.*nginx:3/s);
});

uiTest("the page of a workload that failed explains why, and what to do", async (world) => {
  await world.createEnvironment("dev");
  await world.deploy("dev", "web", { image: "nginx:missing" });
  const { text, document } = await world.page(WEB);
  assert.match(text, /Deploy failed/);
  assert.match(text, /IMAGE_PULL_FAILED/);
  assert.match(document.querySelector("[data-copy]")!.getAttribute("data-copy")!, /^mpctl /);
  assert.match(document.title, /^✕ /);
});

uiTest("the page of a workload shows the rest when its cluster does not answer", async (world) => {
  await world.createEnvironment("dev");
  await world.deploy("dev", "web");
  world.answer = failing(away(), "ListPods", "StreamLogs", "ListClusterEvents");
  const { status, text } = await world.page(WEB);
  assert.equal(status, 200);
  assert.match(text, /the server cannot be reached/);
  assert.match(text, /Revisions/);
});

uiTest(
  "the page of a workload shows hundreds of copies, and hostile reasons as text",
  async (world) => {
    await world.createEnvironment("dev");
    await world.deploy("dev", "web");
    world.answer = ({ name }) =>
      name !== "ListPods" ? undefined : create(ListPodsResponseSchema, {
        pods: Array.from({ length: 200 }, (_, index) => ({
          name: `web-${index}`,
          status: "CrashLoopBackOff",
          message: `<img src=x onerror=alert(1)>${"\u202e".repeat(100_000)}`,
        })),
      });
    const { document, html } = await world.page(WEB);
    assert.equal(document.querySelectorAll(".replica.bad").length, 200);
    assert.equal(document.querySelectorAll("img").length, 0);
    assert.ok(html.length < 1_000_000);
  },
);

uiTest("the page of a workload that does not exist says so", async (world) => {
  await world.createEnvironment("dev");
  const { status, text } = await world.page(WEB);
  assert.equal(status, 404);
  assert.match(text, /WORKLOAD_NOT_FOUND/);
});
