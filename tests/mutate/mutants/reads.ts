/** Watches, lists, and the edit of one document. */
import { type Mutant, mutantsOf } from "../mutant.ts";

export const READS: readonly Mutant[] = [
  ...mutantsOf("services/events/watch_events.ts", ["tests/services/watch_events_test.ts"], [
    [
      "repeats a change that it sent as existing",
      ">= resource.version) continue;",
      "> resource.version) continue;",
    ],
    [
      "skips the next change of an existing resource",
      ">= resource.version) continue;",
      ">= resource.version - 1) continue;",
    ],
    ["leaves out a deletion", ` && event.type !== "DELETED"`, ""],
    ["forgets one event too early what it told as existing", "cursor > listed", "cursor >= listed"],
    [
      "reads the head after the existing resources",
      "let cursor = token ?? head;",
      "let cursor = token ?? head + 1;",
    ],
    ["accepts a token of another log", "token !== null && token > head", "false"],
    ["rejects the token of the head", "token > head)", "token >= head)"],
    [
      "watches names with the same beginning",
      "name.startsWith(`${request.target}/`)",
      "name.startsWith(request.target)",
    ],
    ["sends its mark one event too late", "++unmarked >= MARK_EVERY", "++unmarked > MARK_EVERY"],
    [
      "counts events that it sent for its mark",
      "      unmarked = 0;\n      batch.push(watchedEvent(event));",
      "      batch.push(watchedEvent(event));",
    ],
    [
      "sends existing resources to a watch that resumes",
      `request.resumeToken === "" && !request.skipExisting`,
      "!request.skipExisting",
    ],
    ["sends kinds that were not requested", "(resource && !wanted.has(resource.kind)) || ", ""],
  ]),
  ...mutantsOf("api/streams/deliver.ts", ["api/streams/deliver_test.ts"], [
    [
      "writes one message at a time",
      "bytes < CHUNK_BYTES && ",
      "bytes < 1 && ",
    ],
    ["writes a batch whole, however large", "bytes < CHUNK_BYTES && ", ""],
    [
      "writes on while the reader does not read",
      "      await drained(options);\n",
      "",
    ],
    [
      "writes the rest of a batch after the stream was cut off",
      "      if (signal.aborted) break;\n",
      "",
    ],
    [
      "never leaves a method that goes on after its end",
      "      if (signal.aborted) return;\n",
      "",
    ],
    ["writes to a reader that has gone", "      if (outlet.closed) return;\n", ""],
    [
      "never cuts off a reader that does not read",
      "setTimeout(() => cutOff(toApiError(readerTooSlow())), stallMs)",
      "setTimeout(() => {}, stallMs)",
    ],
  ]),
  ...mutantsOf("api/streams/delivery_pace.ts", ["api/streams/delivery_pace_test.ts"], [
    [
      "gives other work its share once",
      "others < REST_FACTOR * sliceMs && ",
      "others < sliceMs && ",
    ],
    ["waits for other work that there is none of", " && idle < IDLE_TIMERS", ""],
    [
      "prefers streams that ask again",
      "[...waiting.slice(given), ...this.#waiting]",
      "[...this.#waiting, ...waiting.slice(given)]",
    ],
    [
      "loses streams that wait",
      "[...waiting.slice(given), ...this.#waiting]",
      "[...this.#waiting]",
    ],
    [
      "delivers to all at once",
      " && this.#time.used() - start > SLICE_MS) break",
      " && false) break",
    ],
  ]),
  ...mutantsOf("services/resources/list_page.ts", ["tests/services/lists_test.ts"], [
    [
      "returns more than the largest page",
      "Math.min(pageSize || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)",
      "pageSize || DEFAULT_PAGE_SIZE",
    ],
    [
      "returns an empty page if no size is given",
      "pageSize || DEFAULT_PAGE_SIZE",
      "pageSize",
    ],
    ["accepts a token of another filter", "if (madeFor !== query)", "if (false)"],
    ["accepts a token with too few keys", "keys.length === count && ", ""],
    ["starts again at the beginning", "    ...(after && { after }),\n", ""],
    [
      "marks every page as the last",
      `page.next ? encodeToken(page.next, query) : ""`,
      `""`,
    ],
  ]),
  ...mutantsOf("services/workloads/list_on_clusters.ts", [
    "tests/services/cluster_lists_test.ts",
  ], [
    [
      "goes on at a workload that the caller may not list",
      `filter: { op: "and", terms: [...terms, begun] },`,
      "filter: begun,",
    ],
    [
      "fails where one of many clusters does not answer",
      "if (single || !isUnreadable(error)) throw error;",
      "throw error;",
    ],
    [
      "begins a page with the end of the one before",
      "compareKeys(keys, after.keys) <= 0",
      "compareKeys(keys, after.keys) < 0",
    ],
    ["asks for every workload in one page", "if (asked >= MAX_WORKLOADS)", "if (asked < 0)"],
  ]),
  ...mutantsOf("services/resources/update_document.ts", [
    "services/resources/update_document_test.ts",
  ], [
    [
      "gives up after a conflict",
      `if (!isMpcError(error, "ABORTED")) throw error;`,
      "throw error;",
    ],
    [
      "writes an edit that changes nothing",
      "if (!edited) return current;",
      "if (!edited) throw new Error();",
    ],
    ["does not emit the event", "events: [eventOf(next, edited.event)],", ""],
  ]),
  ...mutantsOf("services/resources/read_all.ts", ["services/resources/read_all_test.ts"], [
    ["reads the first page only", "} while (after);", "} while (false);"],
    ["reads the first page repeatedly", "...(after && { after })", ""],
  ]),
];
