/** A server whose disk is full, fails, becomes read-only, or loses files: what it says and keeps. */
import assert from "node:assert/strict";
import { copyFile, mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { readFailure } from "@mpc/client";
import { DiagnosticsService, EnvironmentService } from "@mpc/proto";
import { backupDatabase, restoreDatabase } from "../../storage/sqlite/backup.ts";
import { type MountSpace, openMountSpace } from "../servers/mount_space.ts";
import { type PlatformProcess, startPlatform } from "../servers/platform_process.ts";
import { withFolder } from "../servers/with_folder.ts";

/** How soon a change of the disk must be said, and acted on. */
const SECONDS = 5;

/** One server on a disk, its clients, and what it acknowledged. */
class ServerOnDisk {
  readonly #args: readonly string[];
  readonly #space: MountSpace | undefined;
  readonly acknowledged: string[] = [];
  #process: PlatformProcess | undefined;
  #created = 0;

  constructor(dataDir: string, space?: MountSpace) {
    this.#args = ["--data-dir", dataDir, "--log-level", "error"];
    this.#space = space;
  }

  async start(): Promise<void> {
    this.#process = await startPlatform(this.#args, { through: this.#space?.enter ?? [] });
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  get #transport() {
    return createGrpcWebTransport({ baseUrl: this.#process!.web.origin });
  }

  /** Creates an environment; returns the reason why it was refused. */
  async create(): Promise<string | undefined> {
    const environmentId = `e-${this.#created++}`;
    try {
      const labels = Object.fromEntries(
        Array.from({ length: 20 }, (_, index) => [`label-${index}`, "x".repeat(60)]),
      );
      await createClient(EnvironmentService, this.#transport)
        .createEnvironment({ environmentId, environment: { labels } });
    } catch (error) {
      assert.ok(error instanceof ConnectError, String(error));
      assert.notEqual(error.code, Code.Internal, error.message);
      return readFailure(error).reason;
    }
    this.acknowledged.push(`environments/${environmentId}`);
    return undefined;
  }

  /** Why the store is not ready; undefined if it is. */
  async trouble(): Promise<string | undefined> {
    const response = await fetch(new URL("/readyz", this.#process!.web));
    const { checks } = await response.json();
    const store = checks.find(({ name }: { name: string }) => name === "store");
    assert.equal(response.status === 200, checks.every((it: { ready: boolean }) => it.ready));
    return store.ready ? undefined : store.reason;
  }

  /** Waits until `/readyz` says what is expected. */
  async untilTrouble(expected: string | undefined): Promise<void> {
    const end = performance.now() + SECONDS * 1_000;
    let found: string | undefined;
    do {
      found = await this.trouble();
      if (found === expected) return;
    } while (performance.now() < end);
    assert.equal(found, expected, `/readyz after ${SECONDS} s`);
  }

  /** What the doctor finds about the store. */
  async diagnosis() {
    const { findings } = await createClient(DiagnosticsService, this.#transport).diagnose({});
    return findings.filter(({ invariant }) => invariant === "STORE_UNUSABLE");
  }

  /** Asserts that everything acknowledged is there. */
  async assertKept(): Promise<void> {
    const { environments } = await createClient(EnvironmentService, this.#transport)
      .listEnvironments({ pageSize: 1_000 });
    const there = new Set(environments.map(({ name }) => name));
    assert.deepEqual(this.acknowledged.filter((name) => !there.has(name)), []);
  }
}

/** Registers a test of a server on a disk. */
function diskTest(
  name: string,
  run: (t: { server: ServerOnDisk; space: MountSpace; dataDir: string }) => Promise<void>,
  /** Mounts the disk at `$DIR`, with `$FOLDER` beside it. */
  mount: string,
): void {
  Deno.test({
    name,
    // The platform's output is read in the background.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () =>
      withFolder(async (folder) => {
        await using space = await openMountSpace();
        const dataDir = join(folder, "data");
        await mkdir(dataDir);
        await space.run(`DIR=${dataDir} FOLDER=${folder}; ${mount}`);
        const server = new ServerOnDisk(dataDir, space);
        await server.start();
        try {
          assert.equal(await server.create(), undefined);
          await server.untilTrouble(undefined);
          await run({ server, space, dataDir });
        } finally {
          await server.kill();
        }
      }),
  });
}

const TMPFS = "mount -t tmpfs -o size=6m disk $DIR";

/** For tests that open the database too: SQLite resolves the link of `outside` to another file. */
const NO_DISK = "true";

/** A real file system whose errors the kernel can be told to find. */
const EXT4 = `truncate -s 16M $FOLDER/image && mkfs.ext4 -q -F $FOLDER/image &&
  mount -o loop,errors=remount-ro $FOLDER/image $DIR`;

/** Fills a disk. */
async function fill(path: string): Promise<void> {
  const file = await open(path, "w");
  try {
    for (const size of [65_536, 4_096, 1]) {
      for (;;) await file.write(new Uint8Array(size));
    }
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error && error.code === "ENOSPC", String(error));
  } finally {
    await file.close();
  }
}

diskTest(
  "a full disk is said, nothing is lost, and the server goes on when there is room",
  async (t) => {
    const { server, space, dataDir } = t;
    const ballast = space.outside(join(dataDir, "ballast"));
    await fill(ballast);
    await server.untilTrouble("STORE_FULL");
    const [finding] = await server.diagnosis();
    assert.match(finding?.message ?? "", /no room is left/);
    assert.match(finding?.remedy ?? "", /^Make room on the disk/);
    const reasons = new Set<string | undefined>();
    for (let attempt = 0; attempt < 10; attempt++) reasons.add(await server.create());
    assert.deepEqual([...reasons], ["STORE_FULL"]);
    await rm(ballast);
    await server.untilTrouble(undefined);
    assert.equal(await server.create(), undefined);
    await server.assertKept();
    await server.kill();
    await server.start();
    await server.assertKept();
  },
  TMPFS,
);

diskTest(
  "a server that is killed on a full disk starts when there is room, and lacks nothing",
  async (t) => {
    const { server, space, dataDir } = t;
    // The database itself fills the disk: the last write that fits is acknowledged, the next is not.
    const ballast = space.outside(join(dataDir, "ballast"));
    await fill(ballast);
    await Deno.truncate(ballast, (await Deno.stat(ballast)).size - 300_000);
    let refused: string | undefined;
    while (!(refused = await server.create()));
    assert.equal(refused, "STORE_FULL");
    await server.kill();
    await rm(ballast);
    await server.start();
    await server.assertKept();
    assert.equal(await server.create(), undefined);
  },
  TMPFS,
);

diskTest(
  "a disk that the system made read-only is said, and what was acknowledged is on it",
  async (t) => {
    const { server, space, dataDir } = t;
    await space.run(
      `echo 1 > /sys/fs/ext4/$(basename $(findmnt -n -o SOURCE ${dataDir}))/trigger_fs_error`,
    );
    await server.untilTrouble("STORE_READ_ONLY");
    assert.match((await server.diagnosis())[0]?.remedy ?? "", /^Make the data directory writable/);
    assert.equal(await server.create(), "STORE_READ_ONLY");
    await server.kill();
    await space.run(`
    device=$(findmnt -n -o SOURCE ${dataDir}); image=$(losetup -n -O BACK-FILE $device)
    umount ${dataDir}; e2fsck -fy $image >/dev/null || [ $? -lt 4 ]; mount -o loop $image ${dataDir}`);
    await server.start();
    await server.assertKept();
  },
  EXT4,
);

diskTest("a folder that becomes read-only is said, and the end of that too", async (t) => {
  const { server, space, dataDir } = t;
  await space.run(`mount --bind ${dataDir} ${dataDir} && mount -o remount,bind,ro ${dataDir}`);
  await server.untilTrouble("STORE_READ_ONLY");
  assert.equal((await server.diagnosis()).length, 1);
  // Its open files can still be written: what it acknowledges is kept.
  await server.create();
  await space.run(`umount ${dataDir}`);
  await server.untilTrouble(undefined);
  assert.equal(await server.create(), undefined);
  await server.kill();
  await server.start();
  await server.assertKept();
}, TMPFS);

diskTest(
  "a deleted database is said, and nothing is acknowledged that is gone at the restart",
  async (t) => {
    const { server, space, dataDir } = t;
    const path = space.outside(join(dataDir, "mpc.db"));
    await rename(path, `${path}.moved`);
    assert.equal(await server.create(), "STORE_REPLACED");
    await server.untilTrouble("STORE_REPLACED");
    const [finding] = await server.diagnosis();
    assert.match(finding?.message ?? "", /'mpc.db' was deleted or moved/);
    assert.match(finding?.remedy ?? "", /^Put the file back where it was, or restart/);
    await server.kill();
    await rename(`${path}.moved`, path);
    await server.start();
    await server.assertKept();
    assert.equal(await server.create(), undefined);
    await rm(path);
    await server.untilTrouble("STORE_REPLACED");
    await server.kill();
    await server.start();
    await server.untilTrouble(undefined);
  },
  TMPFS,
);

diskTest(
  "a database that another program has locked is said, and the server goes on afterwards",
  async (t) => {
    const { server, dataDir } = t;
    const other = new DatabaseSync(join(dataDir, "mpc.db"));
    other.exec("BEGIN IMMEDIATE");
    await server.untilTrouble("STORE_LOCKED");
    assert.match((await server.diagnosis())[0]?.remedy ?? "", /^Wait until the other process/);
    assert.equal(await server.create(), "STORE_LOCKED");
    other.exec("ROLLBACK");
    other.close();
    await server.untilTrouble(undefined);
    assert.equal(await server.create(), undefined);
    await server.kill();
    await server.start();
    await server.assertKept();
  },
  NO_DISK,
);

diskTest("an overwritten database is said, and the printed remedy leads out", async (t) => {
  const { server, dataDir } = t;
  const path = join(dataDir, "mpc.db");
  const backup = join(dataDir, "backup.db");
  await backupDatabase({ from: path, to: backup });
  await copyFile(backup, path);
  assert.equal(await server.create(), "STORE_REPLACED");
  await server.untilTrouble("STORE_REPLACED");
  const [finding] = await server.diagnosis();
  assert.match(finding?.message ?? "", /was overwritten while it was open; stop the process/);
  await server.kill();
  await restoreDatabase({ from: backup, to: path, replace: true });
  await server.start();
  await server.assertKept();
  assert.equal(await server.create(), undefined);
}, NO_DISK);

diskTest("a deleted log is said, and what it held is there after kill -9", async (t) => {
  const { server, space, dataDir } = t;
  for (let index = 0; index < 5; index++) assert.equal(await server.create(), undefined);
  await rm(space.outside(join(dataDir, "mpc.db-wal")));
  await server.untilTrouble("STORE_REPLACED");
  assert.equal(await server.create(), "STORE_REPLACED");
  await server.kill();
  await server.start();
  await server.assertKept();
}, TMPFS);
