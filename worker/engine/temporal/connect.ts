import { MpcError } from "@mpc/domain";
import type { TemporalAddress } from "@mpc/process";
import { Client, isGrpcServiceError } from "@temporalio/client";
import type { DataConverter } from "@temporalio/common";
import { NativeConnection } from "@temporalio/worker";
import { engineError, innermost } from "./engine_errors.ts";
import { SEARCH_ATTRIBUTES } from "./search_attributes.ts";

/** A connection that has been verified. */
export interface TemporalConnection {
  /** Native: a grpc-js connection crashes a Deno process when the server closes it. */
  readonly connection: NativeConnection;
  readonly client: Client;
  /** Changes if the namespace is another database, which has none of our workflows. */
  readonly namespaceId: string;
}

const CALL_MS = 5_000;

/** Status codes of gRPC. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;

/**
 * Connects, and verifies the namespace and its search attributes.
 * @throws {MpcError} UNAVAILABLE `ENGINE_UNREACHABLE`, PERMISSION_DENIED `ENGINE_FORBIDS`,
 *   FAILED_PRECONDITION `ENGINE_TLS`, `ENGINE_NAMESPACE`, `ENGINE_SEARCH_ATTRIBUTES`
 */
export async function connectTemporal(
  target: TemporalAddress,
  dataConverter: DataConverter = {},
): Promise<TemporalConnection> {
  const { namespace } = target;
  const connection = await dial(target);
  try {
    const namespaceId = await connection.withDeadline(Date.now() + CALL_MS, async () => {
      const id = await namespaceIdOf(connection, target);
      await assertSearchAttributes(connection, target);
      return id;
    });
    const client = new Client({ connection, namespace, dataConverter });
    return { connection, client, namespaceId };
  } catch (error) {
    await connection.close();
    throw engineError(error);
  }
}

async function dial(target: TemporalAddress): Promise<NativeConnection> {
  const { address, tls, apiKey } = target;
  const encode = (pem: string) => new TextEncoder().encode(pem);
  try {
    return await NativeConnection.connect({
      address,
      ...(apiKey !== null && { apiKey }),
      tls: tls && {
        ...(tls.serverName !== null && { serverNameOverride: tls.serverName }),
        ...(tls.serverRootCa !== null && {
          serverRootCACertificate: encode(tls.serverRootCa) as never,
        }),
        ...(tls.client && {
          clientCertPair: {
            crt: encode(tls.client.certificate) as never,
            key: encode(tls.client.key) as never,
          },
        }),
      },
    });
  } catch (error) {
    throw dialError(target, error);
  }
}

function dialError({ address, tls: settings }: TemporalAddress, error: unknown): unknown {
  const detail = error instanceof Error ? error.message : String(error);
  const tls = tlsProblem(detail) ?? (settings?.client === null ? cutOff(detail) : undefined);
  if (!tls && isGrpcServiceError(error)) return engineError(error);
  if (tls) {
    return new MpcError("FAILED_PRECONDITION", {
      reason: "ENGINE_TLS",
      message: `Cannot connect to Temporal at '${address}' by TLS: ${tls}`,
      retryable: true,
      cause: error,
    });
  }
  return new MpcError("UNAVAILABLE", {
    reason: "ENGINE_UNREACHABLE",
    message: `Cannot reach Temporal at '${address}': ${innermost(detail)}`,
    cause: error,
  });
}

/** The error of rustls, which the native library reports only in debug notation. */
function tlsProblem(detail: string): string | undefined {
  const [, what = "", why = ""] = /kind: InvalidData, error: (\w+)\((.*?)\)+ }/.exec(detail) ?? [];
  switch (what) {
    case "":
      return undefined;
    case "InvalidCertificate":
      return `its certificate is not trusted (${why}); see the given certificate authorities`;
    case "InvalidMessage":
      return "the server does not speak TLS";
    case "AlertReceived":
      return `the server refuses (${why}); see the given client certificate`;
    default:
      return `${what} (${why})`;
  }
}

/** A server that misses a client certificate ends the connection, and the library drops its alert. */
function cutOff(detail: string): string | undefined {
  if (!/transport error|BrokenPipe|ConnectionReset|stream closed/.test(detail)) return undefined;
  return "the server ends the connection, which it does if it requires a client certificate; give " +
    "--temporal-tls-cert and --temporal-tls-key";
}

/** @throws {MpcError} FAILED_PRECONDITION `ENGINE_NAMESPACE` */
export async function namespaceIdOf(
  connection: NativeConnection,
  { address, namespace }: TemporalAddress,
): Promise<string> {
  try {
    const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
    return namespaceInfo?.id ?? "";
  } catch (error) {
    if (!isGrpcServiceError(error) || error.code !== NOT_FOUND) throw error;
    const command = `temporal operator namespace create ${namespace}`;
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "ENGINE_NAMESPACE",
      message: `Cannot use Temporal at '${address}': there is no namespace '${namespace}'; ` +
        `create it with '${command}'`,
      retryable: true,
      metadata: { command },
      cause: error,
    });
  }
}

/**
 * Adds missing search attributes, which Temporal Cloud and protected servers reserve to operators.
 * @throws {MpcError} FAILED_PRECONDITION `ENGINE_SEARCH_ATTRIBUTES`
 */
export async function assertSearchAttributes(
  connection: NativeConnection,
  { namespace }: TemporalAddress,
): Promise<void> {
  try {
    const present = await presentSearchAttributes(connection, namespace);
    const wrong = SEARCH_ATTRIBUTES.find(({ name }) => (present[name] ?? KEYWORD) !== KEYWORD);
    if (wrong) throw wrongType(wrong.name, namespace);
    const missing = SEARCH_ATTRIBUTES.filter(({ name }) => present[name] === undefined);
    if (missing.length === 0) return;
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(({ name }) => [name, KEYWORD])),
    });
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error;
    // Another worker has added them first.
    if (error.code === ALREADY_EXISTS) return;
    if (![INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED].includes(error.code)) throw error;
    const names = SEARCH_ATTRIBUTES.map(({ name }) => name).join(", ");
    throw new MpcError("FAILED_PRECONDITION", {
      reason: "ENGINE_SEARCH_ATTRIBUTES",
      message: `Cannot use namespace '${namespace}' of Temporal: it lacks the search attributes ` +
        `${names} (Keyword), and this caller may not add them (${error.details})`,
      retryable: true,
      cause: error,
    });
  }
}

/** Temporal refuses every workflow whose attributes have another type. */
function wrongType(name: string, namespace: string): MpcError {
  const command =
    `temporal operator search-attribute remove --namespace ${namespace} --name ${name} --yes`;
  return new MpcError("FAILED_PRECONDITION", {
    reason: "ENGINE_SEARCH_ATTRIBUTES",
    message: `Cannot use namespace '${namespace}' of Temporal: its search attribute '${name}' is ` +
      `not a Keyword; workers add it again when it has been removed by ${command}`,
    retryable: true,
    metadata: { command },
  });
}

/** The types of the namespace's own search attributes, by name. */
async function presentSearchAttributes(
  connection: NativeConnection,
  namespace: string,
): Promise<Readonly<Record<string, number | undefined>>> {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace,
    });
    return customAttributes;
  } catch (error) {
    // Temporal's test server can add search attributes, but cannot list them.
    if (isGrpcServiceError(error) && error.code === UNIMPLEMENTED) return {};
    throw error;
  }
}

/** `IndexedValueType` in Temporal's API. */
const KEYWORD = 2;
