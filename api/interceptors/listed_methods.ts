import { MpcError } from "@mpc/domain";
import type { Interceptor } from "@mpc/process";
import { needOf } from "@mpc/services";

/**
 * Refuses methods of which the table of needs says nothing: without an entry nobody has decided who
 * may call them.
 * @throws {MpcError} PERMISSION_DENIED `METHOD_NOT_LISTED`
 */
export const listedMethods: Interceptor = {
  async around(call, next) {
    const { service, method } = call;
    if (!needOf(service.typeName, method.name)) throw notListed(method.name);
    await next(call);
  },
};

const notListed = (method: string): MpcError =>
  new MpcError("PERMISSION_DENIED", {
    reason: "METHOD_NOT_LISTED",
    message: `Cannot call ${method}: the server has no rule for who may call it`,
  });
