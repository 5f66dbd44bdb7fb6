import { defineSearchAttributeKey } from "@temporalio/common";

/** Id of the environment. */
export const ENVIRONMENT = defineSearchAttributeKey("MpcEnvironment", "KEYWORD");

/** The operation's kind, which is also the workflow type; a namespace may have other workflows. */
export const KIND = defineSearchAttributeKey("MpcKind", "KEYWORD");

/** The principal that requested it. */
export const ACTOR = defineSearchAttributeKey("MpcActor", "KEYWORD");

/** The attributes by which operations are found in Temporal. */
export const SEARCH_ATTRIBUTES = [ENVIRONMENT, KIND, ACTOR];
