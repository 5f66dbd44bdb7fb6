/** Both doors of a platform with a real access file; only the credentials are those of a test. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Components } from "@mpc/process";
import { auditedAuthorizer, auditedStore } from "@mpc/services";
import { openMemoryStore } from "@mpc/storage/memory";
import { AccessFile } from "../../access/access_file.ts";
import { type Access, rulesOf } from "../../access/open_access.ts";
import { RoleAuthorizer } from "../../access/role_authorizer.ts";
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
    const rules = rulesOf(await AccessFile.open(path));
    const platform = await Platform.start({ store: openMemoryStore() });
    const authorizer = new RoleAuthorizer(rules, platform.store);
    await using audit = openAudit(platform);
    await using components = new Components();
    const { grpcAddress, webAddress } = await openDoors(
      components,
      {
        ...platform.deps,
        store: auditedStore(platform.store),
        authorizer: auditedAuthorizer(authorizer),
        limitsOf: (subject) => rules().limitsOf(subject),
      },
      INFO,
      { ...QUIET_CONFIG, authenticate, audit },
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
