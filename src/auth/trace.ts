import { isRegistryError, type RegistryError } from "../oci/error.ts";
import type { Credential, CredentialSource } from "./credential.ts";

/** What came of asking one source. */
export interface TriedSource {
  readonly name: string;
  /** `failed` ends the search, as `used` does; the sources after it are `not asked`. */
  readonly outcome: "nothing" | "used" | "failed" | "not asked";
  readonly error?: RegistryError;
}

/** How a credential was looked for, and the one that was found. */
export interface CredentialTrace {
  readonly sources: readonly TriedSource[];
  readonly credential?: Credential;
}

/** Asks sources in their order for the credential of a repository (`path`, may be empty) of a host, and tells what each answered. */
export async function traceCredentials(
  sources: readonly CredentialSource[],
  host: string,
  path: string,
  signal?: AbortSignal,
): Promise<CredentialTrace> {
  const tried: TriedSource[] = [];
  let credential: Credential | undefined;
  let ended = false;
  for (const source of sources) {
    const { name } = source;
    if (ended) {
      tried.push({ name, outcome: "not asked" });
      continue;
    }
    try {
      credential = await source.find(host, path, signal);
      tried.push({ name, outcome: credential ? "used" : "nothing" });
      ended = credential !== undefined;
    } catch (error) {
      if (!isRegistryError(error) || error.code === "ABORTED") throw error;
      tried.push({ name, outcome: "failed", error });
      ended = true;
    }
  }
  return { sources: tried, ...(credential && { credential }) };
}
