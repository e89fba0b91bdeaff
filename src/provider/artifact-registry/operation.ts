import { isObject } from "../../oci/descriptor.ts";
import { RegistryError, type ErrorCode } from "../../oci/error.ts";
import { plainText } from "../../store/remote/answer.ts";
import type { Call } from "../../store/store.ts";
import type { Clock } from "../../transport/clock.ts";
import type { JsonApi } from "../json-api.ts";

/** In milliseconds. */
const pause = { first: 250, longest: 5000 };
const patience = 5 * 60 * 1000;

/** The codes of google.rpc.Status that say more than that something went wrong. */
const codes: Readonly<Record<number, ErrorCode>> = {
  3: "INVALID",
  5: "NAME_UNKNOWN",
  6: "CONFLICT",
  7: "DENIED",
  8: "TOOMANYREQUESTS",
  9: "CONFLICT",
  14: "UNAVAILABLE",
};

/** Waits for a long-running operation (google.longrunning.Operation), up to five minutes; throws what it came to. */
export async function completed(
  api: JsonApi,
  started: unknown,
  { clock, what, signal }: Call & { readonly clock: Clock; readonly what: string },
): Promise<void> {
  const end = clock.now() + patience;
  let operation = started;
  for (let wait = pause.first; isObject(operation) && operation["done"] !== true; wait *= 2) {
    const { name } = operation;
    // Some calls are done at once, and answer with nothing.
    if (name === undefined) return;
    if (typeof name !== "string" || !/^projects\/[\w.:-]+\/locations\/[\w-]+\/operations\/[\w-]+$/.test(name)) {
      throw new RegistryError("NETWORK", `cannot ${what}: Artifact Registry names no operation of its own`);
    }
    if (clock.now() >= end) {
      throw new RegistryError("TIMEOUT", `cannot ${what}: Artifact Registry is not done after five minutes`, {
        hint: "it goes on there: see later whether it is done",
      });
    }
    await clock.sleep(Math.min(wait, pause.longest), signal);
    operation = (await api.send("GET", `/${name}`, { what, ...(signal && { signal }) })).body;
  }
  const error = isObject(operation) ? operation["error"] : undefined;
  if (!isObject(error)) return;
  const words = typeof error["message"] === "string" ? plainText(error["message"]) : "it failed";
  throw new RegistryError(
    codes[Number(error["code"])] ?? "UNKNOWN",
    `cannot ${what}: Artifact Registry says: ${words}`,
  );
}
