import { RegistryError } from "../oci/error.ts";
import { parseLocation } from "../oci/location.ts";
import { apiHost, formatReference, parseReference, type Reference } from "../oci/reference.ts";

/** What a diagnosis is about: a registry and, where they are named, a repository and a manifest in it. */
export interface Place {
  /** The registry's `host[:port]`, as references name it. */
  readonly registry: string;
  /** The host that is asked, as it stands in URLs. */
  readonly host: string;
  readonly hostname: string;
  /** The port that is meant where the URL says none: 443. */
  readonly port: number;
  readonly reference?: Reference;
  /** As a user would type it. */
  readonly name: string;
}

const hostForm = /^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?$/;

/** Reads `HOST[:PORT]` or a reference; throws INVALID. */
export function parsePlace(text: string): Place {
  const bare = text.replace(/^docker:\/\//, "").replace(/\/$/, "");
  if (hostForm.test(bare) && (bare === "localhost" || /[.[:]/.test(bare))) {
    const { registry } = parseReference(`${bare}/any`);
    return placeAt(registry, registry);
  }
  const location = parseLocation(text);
  if (location.transport !== "registry")
    throw new RegistryError("INVALID", `${JSON.stringify(text)} is not in a registry`, {
      hint: "write HOST, HOST/REPOSITORY or HOST/REPOSITORY:TAG; gantry check looks at local images",
    });
  const { reference } = location;
  return { ...placeAt(reference.registry, formatReference(reference)), reference };
}

function placeAt(registry: string, name: string): Place {
  const url = new URL(`https://${apiHost(registry)}`);
  return {
    registry,
    host: url.host,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || 443),
    name,
  };
}

/** The scope that reading a place needs: its repository, empty where none is named. */
export function pathOf({ reference }: Place): string {
  return reference?.repository ?? "";
}
