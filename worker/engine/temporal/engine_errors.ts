import { MpcError } from "@mpc/domain";
import { isGrpcServiceError } from "@temporalio/client";

/** Transient gRPC status codes: DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE. */
const PASSING: readonly number[] = [4, 8, 14];

const UNIMPLEMENTED = 12;

/** PERMISSION_DENIED, UNAUTHENTICATED. */
const FORBIDDEN: readonly number[] = [7, 16];

/**
 * Calls Temporal, and translates its errors into domain errors.
 * @throws {MpcError} UNAVAILABLE `ENGINE_UNREACHABLE`, PERMISSION_DENIED `ENGINE_FORBIDS`; errors
 *   that have their own class in `@temporalio/client` are thrown unchanged
 */
export async function reaching<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw engineError(error);
  }
}

/** Whether the server does not have the method of a call. */
export const isUnimplemented = (error: unknown): boolean =>
  isGrpcServiceError(error) && error.code === UNIMPLEMENTED;

/** The library reports errors in Rust's debug notation; this extracts the innermost message. */
export const innermost = (detail: string): string =>
  /(?:message|error): "([^"]+)"/.exec(detail)?.[1] ?? detail;

/** Translates the error of a call into a domain error if callers act on it. */
export function engineError(error: unknown): unknown {
  const service = [error, error instanceof Error ? error.cause : undefined].find(
    isGrpcServiceError,
  );
  if (!service) return error;
  const detail = service.details || service.message;
  if (FORBIDDEN.includes(service.code)) {
    return new MpcError("PERMISSION_DENIED", {
      reason: "ENGINE_FORBIDS",
      message: `Cannot use Temporal: it refuses this caller (${detail}); see its TLS and API key`,
      cause: error,
    });
  }
  if (!PASSING.includes(service.code)) return error;
  return new MpcError("UNAVAILABLE", {
    reason: "ENGINE_UNREACHABLE",
    message: `Cannot reach Temporal: ${detail}`,
    cause: error,
  });
}
