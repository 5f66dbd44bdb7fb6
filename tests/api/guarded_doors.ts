/** Both doors of a platform with a real access file. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Access, openAccess } from "@mpc/access";
import { Components, systemClock } from "@mpc/process";
import { auditedAuthorizer, auditedStore, type TokenReviewer } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { openDoors } from "../../api/open_doors.ts";
import { openAudit } from "../fakes/audit.ts";
import { Platform } from "../fakes/platform.ts";
import { quietCalls } from "../fakes/quiet_calls.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { withFolder } from "../servers/with_folder.ts";

export interface GuardedDoors {
  readonly grpc: URL;
  readonly web: URL;
  readonly platform: Platform;
}

const INFO = {
  version: "",
  engine: "",
  storage: "",
  installation: "",
  provider: () => Promise.resolve(""),
};

/** Runs with open doors. */
export async function withGuardedDoors(
  { file, authenticate, reviewer }: Partial<Pick<Access, "authenticate">> & {
    /** The content of the access file. */
    readonly file: string;
    readonly reviewer?: TokenReviewer;
  },
  use: (doors: GuardedDoors) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "access.yaml");
    await writeFile(path, file);
    const platform = await Platform.start({ store: openMemoryStore() });
    const { store, clock, provider } = platform;
    const access = await openAccess(path, {
      store,
      // Certificates and tokens of real issuers are valid by the real clock.
      clock: authenticate ? clock : systemClock,
      reviewer: reviewer ?? provider,
    });
    const { authorizer, limitsOf } = access;
    await using audit = openAudit(platform);
    await using components = new Components();
    components.add({ name: "access", close: () => access.close() });
    const { grpcAddress, webAddress } = await openDoors(
      components,
      {
        ...platform.deps,
        store: auditedStore(platform.store),
        authorizer: auditedAuthorizer(authorizer),
        ...(limitsOf && { limitsOf }),
      },
      INFO,
      {
        ...QUIET_CONFIG,
        ...quietCalls(platform.deps),
        ...access,
        ...(authenticate && { authenticate }),
        audit,
      },
    );
    try {
      await use({
        grpc: new URL(`grpc://127.0.0.1:${grpcAddress.port}`),
        web: new URL(`http://127.0.0.1:${webAddress.port}`),
        platform,
      });
    } finally {
      await platform.crash();
    }
  });
}
