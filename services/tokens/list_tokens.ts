import { LIST_ORDERS, type Token, TOKEN_FIELDS } from "@mpc/domain";
import type { Caller } from "../caller.ts";
import type { ServiceDeps } from "../deps.ts";
import { listPage, type ListRequest, type ListResult } from "../resources/list_page.ts";

/**
 * Lists tokens, by name unless another order is requested.
 * @throws {MpcError} PERMISSION_DENIED, INVALID_ARGUMENT `INVALID_FIELDS` or `INVALID_FILTER`
 */
export async function listTokens(
  { store, clock, authorizer }: ServiceDeps,
  caller: Caller,
  request: ListRequest,
): Promise<ListResult<Token>> {
  await authorizer.authorize(caller, { permission: "tokens.get", resource: null });
  return await listPage(
    {
      collection: store.tokens,
      now: clock.now(),
      fields: TOKEN_FIELDS,
      orders: LIST_ORDERS.tokens,
      visible: null,
      prefix: "",
      defaultOrder: [],
      action: "list tokens",
    },
    caller,
    request,
  );
}
