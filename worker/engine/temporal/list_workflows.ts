import { isGrpcServiceError } from "@temporalio/client";
import type { Payload } from "@temporalio/common";
import type { TaskQueueOptions } from "./task_queue.ts";

/** The gRPC status codes INVALID_ARGUMENT and UNIMPLEMENTED. */
const NOT_KNOWN: readonly number[] = [3, 12];

/** The maximum number of workflows per page. */
const PAGE = 1_000;

/**
 * The workflows that satisfy all terms of a list filter, the latest ones first; none if this server
 * does not know an attribute in them.
 */
export async function listWorkflows(
  { connection, namespace }: Pick<TaskQueueOptions, "connection" | "namespace">,
  terms: readonly string[],
  pageSize: number = PAGE,
) {
  try {
    const request = { namespace, query: terms.join(" AND "), pageSize };
    return (await connection.workflowService.listWorkflowExecutions(request)).executions;
  } catch (error) {
    if (isGrpcServiceError(error) && NOT_KNOWN.includes(error.code)) return [];
    throw error;
  }
}

/** The texts of a keyword or a list of keywords, whose payload is JSON. */
export function keywordsOf(payload: Payload | null | undefined): readonly string[] {
  if (!payload?.data) return [];
  const value: unknown = JSON.parse(new TextDecoder().decode(payload.data));
  return [value].flat().filter((text) => typeof text === "string");
}

/** Quotes a text for Temporal's list filters. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
