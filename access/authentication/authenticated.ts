import type { Identity } from "@mpc/process";

/** An identity, with how it was proved. */
export type Authenticated = Required<Identity>;
