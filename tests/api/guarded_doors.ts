/** Both doors of a platform with a real access file; only the credentials are those of a test. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Access, openAccess } from "@mpc/access";
import { Components } from "@mpc/process";
import { auditedAuthorizer, auditedStore } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { openDoors } from "../../api/open_doors.ts";
import { openAudit } from "../fakes/audit.ts";
import { Platform } from "../fakes/platform.ts";
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
  { file, authenticate }: Pick<Access, "authenticate"> & {
    /** The content of the access file. */
    readonly file: string;
  },
  use: (doors: GuardedDoors) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const path = join(folder, "access.yaml");
    await writeFile(path, file);
    const platform = await Platform.start({ store: openMemoryStore() });
    const access = await openAccess(path, platform);
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
      { ...QUIET_CONFIG, ...access, authenticate, audit },
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
