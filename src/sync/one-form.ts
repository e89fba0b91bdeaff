import { realPath } from "../files/real-path.ts";
import { RegistryError } from "../oci/error.ts";
import { parseLocation } from "../oci/location.ts";

/** Throws INVALID for a local place that was there in another spelling or format: each would be written as if it were alone. */
export function oneForm(): (place: string) => void {
  const forms = new Map<string, string>();
  return (place) => {
    const location = parseLocation(place);
    if (location.transport === "registry") return;
    const real = realPath(location.path);
    const known = forms.get(real) ?? place;
    forms.set(real, known);
    if (known === place) return;
    throw new RegistryError("INVALID", `${known} and ${place} are one place in two forms`, {
      hint: "write it in the same way everywhere",
    });
  };
}
