/** The issuer of the tests behaves as issuers do. */
import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { AUDIENCE, CLIENT_ID, startOidcIssuer } from "./oidc_issuer.ts";
import { NO_SANITIZERS } from "./no_sanitizers.ts";

Deno.test({
  name: "the issuer gives tokens by device flow and refreshes them",
  ...NO_SANITIZERS,
  async fn() {
    await using oidc = await startOidcIssuer({ groups: { ann: ["developers"] } });
    const { issuer } = oidc;
    const post = async (path: string, fields: Record<string, string>) => {
      const body = new URLSearchParams({ client_id: CLIENT_ID, ...fields });
      return await (await fetch(`${issuer}${path}`, { method: "POST", body })).json();
    };
    const scope = "openid profile email offline_access";
    const device = await post("/device/auth", { scope, resource: AUDIENCE });
    const grant = {
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      device_code: device.device_code,
    };
    assert.equal((await post("/token", grant)).error, "authorization_pending");
    await oidc.approveDevice(device.verification_uri_complete, "ann");
    const tokens = await post("/token", grant);
    const access = decodeJwt(tokens.access_token);
    assert.deepEqual([access.sub, access.aud, access.iss], ["ann", AUDIENCE, issuer]);
    assert.deepEqual(access["groups"], ["developers"]);
    const id = decodeJwt(tokens.id_token);
    assert.deepEqual([id.aud, id["email"]], [CLIENT_ID, "ann@example.com"]);
    const refreshed = await post("/token", {
      grant_type: "refresh_token",
      refresh_token: tokens.refresh_token,
    });
    assert.equal(decodeJwt(refreshed.access_token).sub, "ann");
  },
});
