import type { HostSettings } from "../../transport/host-settings.ts";
import { fine, warning, type Diagnosis } from "../diagnosis.ts";
import type { Place } from "../place.ts";

/** What a name comes to, and what stands between it and the registry. */
export function checkName(typed: string, place: Place, settings: HostSettings): readonly Diagnosis[] {
  const { host, registry, name } = place;
  const at = host === registry ? "" : ` at ${host}`;
  const means = typed === name || typed === `docker://${name}` ? name : `${typed} means ${name}`;
  const { mirrors = [], insecure, address } = settings;
  return [
    fine("name", `${means}${at}`, { host }),
    ...(mirrors.length > 0
      ? [
          fine("name", `pulls are tried first at ${mirrors.join(", ")}`, {
            host,
            cause: "the settings of this host name mirrors: what is pulled may come from there",
            command: `gantry doctor ${mirrors[0]}`,
          }),
        ]
      : []),
    ...(address === undefined ? [] : [fine("name", `it is looked for at ${address}, as the settings say`, { host })]),
    ...(insecure
      ? [warning("name", "it is declared insecure: its certificate is not looked at, plain HTTP is allowed", { host })]
      : []),
  ];
}
