import { RegistryError } from "../../oci/error.ts";
import { csvFields } from "./csv.ts";

/** What holds for all tags: docker/metadata-action's `flavor` (https://github.com/docker/metadata-action#flavor-input). */
export interface Flavor {
  readonly latest: "auto" | "true" | "false";
  readonly prefix: string;
  readonly suffix: string;
  /** Whether `latest` has them, too. */
  readonly prefixLatest: boolean;
  readonly suffixLatest: boolean;
}

/** Reads lines such as `latest=false` and `suffix=-alpine,onlatest=true`. Throws INVALID. */
export function parseFlavor(lines: readonly string[]): Flavor {
  let flavor: Flavor = { latest: "auto", prefix: "", suffix: "", prefixLatest: false, suffixLatest: false };
  for (const line of lines) {
    let last = "";
    for (const field of csvFields(line)) {
      const [key = "", value] = field.split("=").map((part) => part.trim());
      const name = key.toLowerCase();
      if (value === undefined) throw invalid(line, `${JSON.stringify(field)} has no value`);
      if (name === "latest") {
        if (value !== "auto" && value !== "true" && value !== "false")
          throw invalid(line, "latest is auto, true or false");
        flavor = { ...flavor, latest: value };
      } else if (name === "prefix" || name === "suffix") {
        flavor = { ...flavor, [name]: value };
        last = name;
      } else if (name === "onlatest") {
        if (value !== "true" && value !== "false") throw invalid(line, "onlatest is true or false");
        if (last !== "") flavor = { ...flavor, [`${last}Latest`]: value === "true" };
      } else throw invalid(line, `${JSON.stringify(name)} is not known: there are latest, prefix, suffix and onlatest`);
    }
  }
  return flavor;
}

function invalid(line: string, what: string): RegistryError {
  return new RegistryError("INVALID", `the flavor ${JSON.stringify(line)}: ${what}`);
}
