/** Signing in to a server that checks passwords. */
import assert from "node:assert/strict";
import { openMongoStore } from "@mpc/storage/mongodb";
import { anEnvironment, anEvent } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import { withFerretdb } from "../servers/ferretdb.ts";

const USER = { name: "ann", password: "p@ss/w:rd%" };

/** An address with a user name and a password, in which what means something is escaped. */
const addressOf = (host: string, credentials: string, mechanism = "") =>
  `mongodb://${credentials}${host}/mpc${mechanism}?authSource=admin` +
  (mechanism ? `&authMechanism=${mechanism}` : "");

const encoded = ({ name, password }: typeof USER): string =>
  `${encodeURIComponent(name)}:${encodeURIComponent(password)}@`;

Deno.test("a store signs in with its user's password, and is rejected without it", async (t) => {
  await withFerretdb(USER, async (host) => {
    for (const mechanism of ["", "SCRAM-SHA-256", "SCRAM-SHA-1"]) {
      await t.step(`with the right password ${mechanism}`.trimEnd(), async () => {
        const store = await openMongoStore({ address: addressOf(host, encoded(USER), mechanism) });
        await store.environments.create(anEnvironment("dev"), { events: [anEvent("made")] });
        assert.equal((await store.environments.get("environments/dev"))?.version, 1);
        await store.close();
      });
    }
    const rejected = {
      "a wrong password": encoded({ ...USER, password: "other" }),
      "a user that does not exist": encoded({ ...USER, name: "bob" }),
      "no credentials": "",
    };
    for (const [what, credentials] of Object.entries(rejected)) {
      await t.step(`with ${what}`, async () => {
        const { message } = await rejectsWith(
          openMongoStore({ address: addressOf(host, credentials) }),
          "FAILED_PRECONDITION",
          "STORE_CREDENTIALS_REJECTED",
        );
        assert.ok(!message.includes(USER.password) && !message.includes("other"), message);
      });
    }
  });
});
