import { z } from "zod";

/** The section `authentication` of the access file: the kinds of credentials that callers may use. */
export const AUTHENTICATION = z.strictObject({});

export type AuthenticationSettings = z.output<typeof AUTHENTICATION>;
