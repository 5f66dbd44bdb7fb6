/** For tests of real servers: native code and connection pools outlive the test that used them. */
export const NO_SANITIZERS = { sanitizeOps: false, sanitizeResources: false } as const;
