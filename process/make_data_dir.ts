import { mkdir } from "node:fs/promises";
import { MpcError } from "@mpc/domain";

/**
 * Makes a data directory that only its owner can read, if there is none.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_NOT_WRITABLE`
 */
export async function makeDataDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const detail = error instanceof Deno.errors.NotCapable
      ? "this process is not permitted to; set MPC_DATA_DIR, by which tasks give permission"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_NOT_WRITABLE",
      message: `Cannot use the data directory '${path}': it cannot be made (${detail})`,
      cause: error,
    });
  }
}
