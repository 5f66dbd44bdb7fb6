import { mkdir } from "node:fs/promises";
import { MpcError } from "@mpc/domain";

/**
 * Creates a data directory that only its owner can read, unless it exists.
 * @throws {MpcError} FAILED_PRECONDITION `STORE_NOT_WRITABLE`
 */
export async function makeDataDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const detail = error instanceof Deno.errors.NotCapable
      ? "this process has no permission; set MPC_DATA_DIR, from which tasks derive permissions"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "STORE_NOT_WRITABLE",
      message: `Cannot use the data directory '${path}': it cannot be created (${detail})`,
      cause: error,
    });
  }
}
