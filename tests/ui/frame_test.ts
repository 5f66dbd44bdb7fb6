import assert from "node:assert/strict";
import { uiTest } from "./ui_world.ts";

uiTest(
  "every page allows only its own scripts and styles, by a nonce of one use",
  async (world) => {
    const [first, second] = [await world.page("/"), await world.page("/nowhere")];
    const policy = first.headers.get("content-security-policy") ?? "";
    const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1];
    assert.ok(nonce);
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    for (const element of first.document.querySelectorAll("script, link[rel=stylesheet], style")) {
      assert.equal(element.getAttribute("nonce"), nonce);
    }
    assert.equal(first.document.querySelectorAll("script:not([src]), style, [style]").length, 0);
    assert.notEqual(second.headers.get("content-security-policy"), policy);
  },
);

uiTest("an address without a page says so", async (world) => {
  const { status, text } = await world.page("/nowhere/<b>x");
  assert.equal(status, 404);
  assert.match(text, /There is no page at \/nowhere/);
});

uiTest(
  "static files may be kept forever, because their address changes with them",
  async (world) => {
    const { document } = await world.page("/");
    const href = document.querySelector("link[rel=stylesheet]")!.getAttribute("href")!;
    const response = await world.request(href, { headers: { "accept-encoding": "gzip" } });
    assert.equal(response.status, 200);
    assert.match(response.headers.get("cache-control")!, /immutable/);
    assert.equal(response.headers.get("content-encoding"), "gzip");
    const stale = await world.request(href.replace(/\.\w{12}\./, ".000000000000."));
    assert.equal(stale.status, 404);
    await Promise.all([response.body?.cancel(), stale.body?.cancel()]);
  },
);

uiTest("the theme that the viewer has chosen is in the page, without a script", async (world) => {
  const form = new URLSearchParams({ theme: "dark", back: "//elsewhere.example" });
  const chosen = await world.request("/ui/theme", { method: "POST", body: form });
  assert.equal(chosen.status, 303);
  assert.equal(chosen.headers.get("location"), "/", "no other server is gone to");
  const [cookie = ""] = chosen.headers.getSetCookie();
  const { document } = await world.page("/", { cookie: cookie.split(";")[0]! });
  assert.equal(document.documentElement.getAttribute("data-theme"), "dark");
});
