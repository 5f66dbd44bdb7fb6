import assert from "node:assert/strict";
import { type ErrorCode, MpcError } from "@mpc/domain";

/** Asserts that a promise rejects with this code and reason, and returns the error. */
export async function rejectsWith(
  promise: Promise<unknown>,
  code: ErrorCode,
  reason: string,
): Promise<MpcError> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof MpcError)) throw error;
    assert.deepEqual([error.code, error.reason], [code, reason], error.message);
    return error;
  }
  assert.fail(`expected ${code} ${reason}, but the call succeeded`);
}
