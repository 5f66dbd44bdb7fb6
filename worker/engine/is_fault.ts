import { isMpcError } from "@mpc/domain";

/** Whether an error is a bug of ours, which a retry would only repeat. */
export const isFault = (error: unknown): boolean => !isMpcError(error) || error.code === "INTERNAL";
