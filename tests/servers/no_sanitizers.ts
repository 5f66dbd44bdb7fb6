/** For tests of real servers: native code and pools of connections outlive the test that used them. */
export const NO_SANITIZERS = { sanitizeOps: false, sanitizeResources: false } as const;
