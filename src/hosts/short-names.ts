import { RegistryError } from "../oci/error.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import type { RegistriesConf } from "./registries-conf.ts";

/**
 * What a short name (`alpine`, without a registry) means to Podman: what an alias says, else the name at the one
 * unqualified-search registry. Where there are several it throws INVALID in every short-name-mode: who answers first is
 * no reason to trust the image. `text` is the reference as it was typed, `reference` what it would mean to Docker.
 */
export function qualified(text: string, reference: Reference, conf: RegistriesConf): Reference {
  const name = shortName(text);
  if (name === undefined) return reference;
  const alias = conf.aliases.get(name)?.target;
  if (alias) return { ...reference, ...alias };
  const { hosts, origin } = conf.searchRegistries ?? { hosts: [], origin: "registries.conf" };
  if (hosts.length === 1) {
    const { registry, repository } = parseReference(`${hosts[0]}/${name}`);
    return { ...reference, registry, repository };
  }
  if (hosts.length === 0) {
    throw new RegistryError("INVALID", `${name} is a short name: no alias and no search registry says where it is`, {
      hint: `write its registry before it, or set unqualified-search-registries in registries.conf`,
    });
  }
  const candidates = hosts.map((host) => `${host}/${name}`).join(", ");
  throw new RegistryError("INVALID", `${name} is a short name, and may be any of ${candidates} (${origin})`, {
    hint: `write one of them in full, or make it an alias: [aliases] "${name}" = "${hosts[0]}/${name}"`,
  });
}

/** The name in a reference without a registry; undefined where it has one. */
function shortName(text: string): string | undefined {
  const name = text.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
  const [first = "", ...rest] = name.split("/");
  return rest.length > 0 && (/[.:[]/.test(first) || first.toLowerCase() === "localhost") ? undefined : name;
}
