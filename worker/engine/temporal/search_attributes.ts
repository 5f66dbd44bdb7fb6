import { defineSearchAttributeKey } from "@temporalio/common";

/** Id of the environment. */
export const ENVIRONMENT = defineSearchAttributeKey("MpcEnvironment", "KEYWORD");

/** The operation's kind, which is the workflow's type too; a namespace may hold other workflows. */
export const KIND = defineSearchAttributeKey("MpcKind", "KEYWORD");

/** Who asked for it. */
export const ACTOR = defineSearchAttributeKey("MpcActor", "KEYWORD");

/** All that operations are found by in Temporal. */
export const SEARCH_ATTRIBUTES = [ENVIRONMENT, KIND, ACTOR];
