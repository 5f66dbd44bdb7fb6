import { createContext } from "preact";

/** When a page was requested; relative times are counted from then. */
export const Now = createContext(0);
